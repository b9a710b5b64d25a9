// Which Host and Origin headers are let in.
//
// A page in a browser can make requests to any address, and with a name of its own that it lets
// resolve to an address of ours even read the answers (DNS rebinding). Two headers that pages
// cannot forge give it away:
//   - Host: on an address that only this machine reaches, it must name this machine (localhost,
//     127.0.0.1, [::1], any port), the host of the base URL, or one of the allowed hosts. On other
//     addresses also any IP address, and names that nobody can register: without a dot ("backend"),
//     or below .local, .localhost, .internal and .home.arpa. Other names have to be allowed.
//   - Origin, where there is one, must be this machine, the base URL, an allowed host, or the host
//     that the request itself names.
//
// Behind a trusted proxy X-Forwarded-Host says which name clients used. It is judged as Host is,
// and Host is judged, too: a page that gets past the proxy can set the first, but not the second.
// Such a server is one that others reach: what nobody can register is let in for both, also where
// it listens on this machine only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxcp::net {

struct HttpGuardOptions {
  std::string bound_host = {};  // where the server listens; "" counts as this machine
  std::string base_url = {};
  bool trust_proxy = false;
  // "tools.example", "*.example" for everything below it, "*" for every Host.
  std::vector<std::string> allowed_hosts = {};
};

class HttpGuard {
 public:
  explicit HttpGuard(const HttpGuardOptions& options);

  // `forwarded`: X-Forwarded-Host, which means nothing unless the proxy is trusted.
  bool allows_host(std::string_view host, std::string_view forwarded) const;
  bool allows_origin(std::string_view origin, std::string_view host,
                     std::string_view forwarded) const;

 private:
  bool is_ours(std::string_view name) const;
  bool allows_name(std::string_view name) const;

  std::vector<std::string> names_;     // hosts that are ours, in lower case, without port
  std::vector<std::string> suffixes_;  // ".example"
  bool any_host_ = false;
  bool local_only_;
  bool trust_proxy_;
};

// "example.com" of "Example.com:8000" or "[::1]:80" ("[::1]"); "" when it is no host.
std::string host_name(std::string_view host_and_port);
bool is_loopback_name(std::string_view name);
// The host of an X-Forwarded-Host header. Each proxy of a chain adds the name that it was asked
// for, so the last one is what the nearest has seen for itself; what stands before it, anybody may
// have sent.
std::string forwarded_host(std::string_view header);

}  // namespace mxcp::net
