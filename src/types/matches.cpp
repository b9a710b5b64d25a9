#include "types/matches.h"

#include <re2/re2.h>

namespace mxcp::types {

Result<bool> matches(std::string_view pattern, std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 compiled(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled.ok()) return Error{Code::kConfig, compiled.error()};
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled);
}

}  // namespace mxcp::types
