// The names that a Jinja template takes from outside.
//
// Templates are rendered by Jinja itself (python/); this only finds out, without starting Python,
// which variables a prompt needs. It knows Jinja's tokens and the statements that bind names, not
// its grammar: a name bound anywhere in the template (set, for, macro, with, import) counts as
// bound everywhere in it, so what is reported is certain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxcp::quality {

// In the order of their first use, each once.
std::vector<std::string> free_names(std::string_view template_text);

}  // namespace mxcp::quality
