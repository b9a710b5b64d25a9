#include "net/http_request.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace mxcp::net {

int framing_status(const Framing& framing) {
  if (framing.codings == 0) {
    const bool clear = framing.lengths == 0 ||
                       (framing.lengths == 1 && framing.length.find(',') == std::string_view::npos);
    return clear ? 0 : 400;
  }
  if (framing.codings > 1 || framing.lengths > 0 || !framing.is_http_1_1) return 400;
  const std::string coding = to_lower(trim(framing.coding));
  if (coding == "chunked") return 0;
  // One that we do not know, or one that does not say where the body ends.
  const auto comma = coding.find_last_of(',');
  const bool is_chunked_last =
      comma != std::string::npos && trim(std::string_view(coding).substr(comma + 1)) == "chunked";
  return is_chunked_last ? 501 : 400;
}

RequestTarget read_target(std::string_view target) {
  RequestTarget out;
  const auto scheme = target.find("://");
  // A path may have such characters, but it begins with a slash.
  if (scheme != std::string_view::npos && !target.starts_with('/')) {
    const std::string name = to_lower(target.substr(0, scheme));
    if (name == "http" || name == "https") {
      out.is_absolute = true;
      target.remove_prefix(scheme + 3);
      const auto end = std::min(target.find_first_of("/?#"), target.size());
      out.authority = target.substr(0, end);
      target.remove_prefix(end);
    }
  }
  out.path = target.substr(0, target.find_first_of("?#"));
  if (const auto query = target.find('?'); query != std::string_view::npos) {
    out.query = target.substr(query + 1);
  }
  if (out.path.size() > 1 && out.path.ends_with('/')) out.path.remove_suffix(1);
  if (out.path.empty() && out.is_absolute) out.path = "/";
  return out;
}

}  // namespace mxcp::net
