// Text -> Node, with everything checked that needs no values. Private to cel/.
#pragma once

#include <string_view>
#include <variant>

#include "cel/node.h"
#include "cel/program.h"

namespace mxcp::cel {

// `condition`: what certainly is no bool may not stand where one is needed, nor be the result.
std::variant<NodePtr, Problem> parse(std::string_view text, const Names& names, bool condition);

}  // namespace mxcp::cel
