#include "net/http_guard.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mxcp::net {
namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "example.com:8000" of "https://example.com:8000/path".
std::string_view authority_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

// Four numbers, or something in brackets. An address needs no resolver that could lie.
bool is_address(std::string_view name) {
  if (name.starts_with('[')) return true;
  return std::count(name.begin(), name.end(), '.') == 3 &&
         name.find_first_not_of("0123456789.") == std::string_view::npos;
}

// A name that the public DNS does not give to anybody.
bool is_private_name(std::string_view name) {
  if (name.find('.') == std::string_view::npos) return true;
  constexpr std::array<std::string_view, 4> kPrivate = {".local", ".localhost", ".internal",
                                                        ".home.arpa"};
  return std::any_of(kPrivate.begin(), kPrivate.end(),
                     [&](std::string_view suffix) { return name.ends_with(suffix); });
}

}  // namespace

std::string host_name(std::string_view text) {
  text = trim(text);
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return "";
    ++end;
  }
  const std::string_view name = text.substr(0, end);
  std::string_view rest = end < text.size() ? text.substr(end) : std::string_view();
  if (name.empty() || name.find_first_of("/@ \t") != std::string_view::npos) return "";
  // An empty port is the usual one (RFC 3986, 3.2.3).
  if (!rest.empty() && rest != ":" && (!rest.starts_with(':') || !is_port(rest.substr(1))))
    return "";
  // The dot at the end of a full name says nothing else (RFC 1034, 3.1). Behind a single label it
  // does: that is a name of the public DNS then, and not one of the network around us.
  const std::string_view bare = name.substr(0, name.size() - (name.ends_with('.') ? 1 : 0));
  const bool same = bare.find('.') != std::string_view::npos || to_lower(bare) == "localhost";
  return to_lower(same ? bare : name);
}

std::string forwarded_host(std::string_view header) {
  return host_name(header.substr(header.find_last_of(',') + 1));
}

bool is_loopback_name(std::string_view name) {
  if (name == "localhost" || name == "[::1]" || name == "::1") return true;
  // 127.0.0.0/8 as numbers; "127.evil.example" is a name.
  return name.starts_with("127.") && std::count(name.begin(), name.end(), '.') == 3 &&
         name.find_first_not_of("0123456789.") == std::string_view::npos;
}

HttpGuard::HttpGuard(const HttpGuardOptions& options)
    : local_only_(!options.trust_proxy &&
                  (options.bound_host.empty() || is_loopback_name(to_lower(options.bound_host)))),
      trust_proxy_(options.trust_proxy) {
  if (!options.bound_host.empty()) names_.push_back(to_lower(options.bound_host));
  if (auto name = host_name(authority_of(options.base_url)); !name.empty()) {
    names_.push_back(std::move(name));
  }
  for (const std::string& allowed : options.allowed_hosts) {
    if (allowed == "*") {
      any_host_ = true;
    } else if (allowed.starts_with("*.")) {
      suffixes_.push_back(to_lower(allowed.substr(1)));
    } else {
      names_.push_back(to_lower(allowed));
    }
  }
}

bool HttpGuard::is_ours(std::string_view name) const {
  return is_loopback_name(name) || std::find(names_.begin(), names_.end(), name) != names_.end() ||
         std::any_of(suffixes_.begin(), suffixes_.end(), [&](const std::string& suffix) {
           return name.size() > suffix.size() && name.ends_with(suffix);
         });
}

bool HttpGuard::allows_name(std::string_view name) const {
  if (name.empty()) return false;
  if (any_host_ || is_ours(name)) return true;
  return !local_only_ && (is_address(name) || is_private_name(name));
}

bool HttpGuard::allows_host(std::string_view host, std::string_view forwarded) const {
  if (trust_proxy_ && !forwarded.empty() && !allows_name(forwarded_host(forwarded))) return false;
  return allows_name(host_name(host));
}

bool HttpGuard::allows_origin(std::string_view origin, std::string_view host,
                              std::string_view forwarded) const {
  if (origin.empty()) return true;
  const std::string name = host_name(authority_of(origin));
  if (name.empty()) return false;  // also "null"
  if (is_ours(name)) return true;
  // Same origin. The host was checked before.
  return name == (trust_proxy_ && !forwarded.empty() ? forwarded_host(forwarded) : host_name(host));
}

}  // namespace mxcp::net
