// TLS for the HTTP server, out of OpenSSL: version 1.2 or later, with OpenSSL's own choice of
// ciphers.
//
// TlsChannel works on bytes in memory and never touches a socket. HttpConnection writes from
// whichever thread has an answer, without waiting; asio::ssl::stream knows only composed operations
// that run one at a time on one executor, and would need a second kind of connection.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files.h"

struct ssl_st;
struct ssl_ctx_st;

namespace mxcp::net {

// One connection. Not locked.
class TlsChannel {
 public:
  explicit TlsChannel(ssl_ctx_st* context);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  enum class State {
    kOpen,
    kEnded,   // the client sends no more
    kPlain,   // this is no TLS, but HTTP
    kFailed,  // see failure()
  };
  // Takes bytes off the socket and appends what they say to `plain`. Afterwards, also when it
  // failed, take_output() is what has to go to the socket.
  State receive(std::string_view bytes, std::string& plain);
  bool is_established() const { return established_; }
  const std::string& failure() const { return failure_; }

  // Bytes for the socket that say `plain`. Only when established.
  std::string seal(std::string_view plain);
  // The bytes that tell the client that nothing follows.
  std::string farewell();
  std::string take_output();

 private:
  ssl_st* const ssl_;
  bool established_ = false;
  std::string failure_;
};

// The certificate and its key. From any thread.
class TlsContext {
 public:
  // Reads both files (PEM; the certificate with its chain). Logs a warning when the certificate is
  // not valid now. Errors: kConfig, with what is wrong with which file.
  static Result<std::unique_ptr<TlsContext>> load(fs::path certificate, fs::path key);

  // Reads the files again, for connections from now on. When that fails the old ones stay.
  Status reload();
  std::unique_ptr<TlsChannel> accept() const;

 private:
  TlsContext(fs::path certificate, fs::path key);

  const fs::path certificate_;
  const fs::path key_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace mxcp::net
