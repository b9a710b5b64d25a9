#include "net/aes_sealer.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <memory>

namespace mxcp::net {
namespace {

constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)>;

Cipher new_cipher() {
  return {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string to_base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(bytes(out), bytes(text), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string out(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(bytes(out), bytes(text), static_cast<int>(text.size())) < 0) return {};
  while (text.ends_with('=')) {
    text.remove_suffix(1);
    out.pop_back();
    if (out.empty()) return {};
  }
  return out;
}

}  // namespace

AesSealer::AesSealer(std::string_view secret) {
  unsigned int size = 0;
  const bool made = secret.empty() ? RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1
                                   : EVP_Digest(secret.data(), secret.size(), key_.data(), &size,
                                                EVP_sha256(), nullptr) == 1;
  // A key that anybody could guess is worse than no server.
  if (!made) std::abort();
}

std::string AesSealer::seal(std::string_view text, std::string_view bound) const {
  std::string out(kNonce + text.size() + kTag, '\0');
  unsigned char* const nonce = bytes(out);
  unsigned char* const body = nonce + kNonce;
  const Cipher cipher = new_cipher();
  int n = 0;
  const bool sealed =
      cipher != nullptr && RAND_bytes(nonce, kNonce) == 1 &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &n, bytes(bound), static_cast<int>(bound.size())) ==
          1 &&
      EVP_EncryptUpdate(cipher.get(), body, &n, bytes(text), static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), body + n, &n) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, body + text.size()) == 1;
  return sealed ? to_base64(out) : std::string();
}

std::optional<std::string> AesSealer::open(std::string_view token, std::string_view bound) const {
  auto sealed = from_base64(token);
  if (!sealed || sealed->size() < kNonce + kTag) return {};
  const std::size_t size = sealed->size() - kNonce - kTag;
  unsigned char* const nonce = bytes(*sealed);
  unsigned char* const body = nonce + kNonce;
  std::string out(size, '\0');
  const Cipher cipher = new_cipher();
  int n = 0;
  const bool opened =
      cipher != nullptr &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &n, bytes(bound), static_cast<int>(bound.size())) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), bytes(out), &n, body, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, body + size) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(out) + n, &n) == 1;
  if (!opened) return {};
  return out;
}

}  // namespace mxcp::net
