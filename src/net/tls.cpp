#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/log.h"

namespace mxcp::net {
namespace {

constexpr std::size_t kPiece = 16 << 10;  // what one TLS record holds

// What OpenSSL has to say about the last failure, the cause first.
class Reasons {
 public:
  Reasons() {
    while (const unsigned long code = ERR_get_error()) codes_.push_back(code);
  }
  bool has(int library, int reason) const {
    return std::any_of(codes_.begin(), codes_.end(), [&](unsigned long code) {
      return ERR_GET_LIB(code) == library && ERR_GET_REASON(code) == reason;
    });
  }
  std::string text() const {
    if (codes_.empty()) return "unknown reason";
    const char* const text = ERR_reason_error_string(codes_.front());
    return text != nullptr ? text : "error " + std::to_string(codes_.front());
  }

 private:
  std::vector<unsigned long> codes_;
};

Error file_error(std::string_view what, const fs::path& file, const std::string& why,
                 std::string hint) {
  return {Code::kConfig,
          "the " + std::string(what) + " " + file.string() + " " + why,
          {},
          std::move(hint)};
}

// Nobody is there to type one.
int no_password(char*, int, int, void*) {
  return -1;
}

// HTTP/1.1, when the client asks for a protocol at all; what else it knows it may do without.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned int size, void*) {
  static constexpr std::array<unsigned char, 9> kHttp = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, length, kHttp.data(), kHttp.size(), offered, size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = selected;
  return SSL_TLSEXT_ERR_OK;
}

std::string time_text(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
  ASN1_TIME_print(out.get(), time);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void warn_about_dates(const X509* certificate, const fs::path& file) {
  if (certificate == nullptr) return;
  const ASN1_TIME* const from = X509_get0_notBefore(certificate);
  const ASN1_TIME* const until = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(until) < 0) {
    log::warning("http", "the certificate {} expired on {}; clients will refuse it", file.string(),
                 time_text(until));
  } else if (X509_cmp_current_time(from) > 0) {
    log::warning("http", "the certificate {} is valid from {} on only; clients will refuse it",
                 file.string(), time_text(from));
  }
}

Result<std::shared_ptr<SSL_CTX>> read_files(const fs::path& certificate, const fs::path& key) {
  constexpr const char* kCertificateHint =
      "--tls-cert takes a PEM file: the certificate of the server, then those between it and its "
      "authority";
  constexpr const char* kKeyHint =
      "--tls-key takes the private key of the certificate, a PEM file without a password";
  const auto mismatch = [&] {
    return file_error("key", key, "does not belong to the certificate " + certificate.string(),
                      "the two files have to be of one pair");
  };
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return Error{Code::kInternal, "no TLS: " + Reasons().text(), {}, ""};
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(raw, no_password);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);

  if (const auto text = read_file(certificate); !text.ok()) {
    return Error{Code::kConfig, text.error().message, {}, kCertificateHint};
  }
  if (SSL_CTX_use_certificate_chain_file(raw, certificate.c_str()) != 1) {
    return file_error("certificate", certificate, "cannot be used: " + Reasons().text(),
                      kCertificateHint);
  }
  if (const auto text = read_file(key); !text.ok()) {
    return Error{Code::kConfig, text.error().message, {}, kKeyHint};
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const Reasons reasons;
    if (reasons.has(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH) ||
        reasons.has(ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH)) {
      return mismatch();
    }
    if (reasons.has(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ) ||
        reasons.has(ERR_LIB_PEM, PEM_R_PROBLEMS_GETTING_PASSWORD)) {
      return file_error("key", key, "is encrypted with a password",
                        "'openssl pkey -in KEY -out PLAIN' writes one without");
    }
    return file_error("key", key, "cannot be used: " + reasons.text(), kKeyHint);
  }
  if (SSL_CTX_check_private_key(raw) != 1) return mismatch();
  warn_about_dates(SSL_CTX_get0_certificate(raw), certificate);
  return context;
}

}  // namespace

// --- TlsContext ---------------------------------------------------------------------------------

TlsContext::TlsContext(fs::path certificate, fs::path key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {}

Result<std::unique_ptr<TlsContext>> TlsContext::load(fs::path certificate, fs::path key) {
  std::unique_ptr<TlsContext> made(new TlsContext(std::move(certificate), std::move(key)));
  MXCP_TRY(made->reload());
  return made;
}

Status TlsContext::reload() {
  MXCP_TRY(std::shared_ptr<SSL_CTX> fresh, read_files(certificate_, key_));
  const std::lock_guard lock(mutex_);
  context_.swap(fresh);
  return {};
}

std::unique_ptr<TlsChannel> TlsContext::accept() const {
  const std::lock_guard lock(mutex_);
  return std::make_unique<TlsChannel>(context_.get());
}

// --- TlsChannel ---------------------------------------------------------------------------------

TlsChannel::TlsChannel(SSL_CTX* context) : ssl_(SSL_new(context)) {
  if (ssl_ == nullptr) return;
  // They are the channel's own from now on.
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_);
}

TlsChannel::~TlsChannel() {
  SSL_free(ssl_);
}

TlsChannel::State TlsChannel::receive(std::string_view bytes, std::string& plain) {
  if (ssl_ == nullptr) {
    failure_ = "there is no memory for another connection";
    return State::kFailed;
  }
  ERR_clear_error();
  BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
  std::array<char, kPiece> piece{};
  while (true) {
    // The handshake is part of reading.
    std::size_t size = 0;
    const int done = SSL_read_ex(ssl_, piece.data(), piece.size(), &size);
    established_ = SSL_is_init_finished(ssl_) == 1;
    if (done == 1) {
      plain.append(piece.data(), size);
      continue;
    }
    switch (SSL_get_error(ssl_, done)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: return State::kOpen;
      case SSL_ERROR_ZERO_RETURN: return State::kEnded;
      default: break;
    }
    const Reasons reasons;
    failure_ = reasons.text();
    return reasons.has(ERR_LIB_SSL, SSL_R_HTTP_REQUEST) ? State::kPlain : State::kFailed;
  }
}

std::string TlsChannel::seal(std::string_view plain) {
  ERR_clear_error();
  std::size_t written = 0;
  // All of it at once: memory takes everything.
  if (!plain.empty() && SSL_write_ex(ssl_, plain.data(), plain.size(), &written) != 1) {
    failure_ = Reasons().text();
  }
  return take_output();
}

std::string TlsChannel::farewell() {
  if (!established_) return {};
  ERR_clear_error();
  SSL_shutdown(ssl_);
  return take_output();
}

std::string TlsChannel::take_output() {
  if (ssl_ == nullptr) return {};
  std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl_)), '\0');
  if (out.empty()) return out;
  const int size = BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
  out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return out;
}

}  // namespace mxcp::net
