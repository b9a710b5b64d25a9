// The names that a Jinja template takes from outside, and what is wrong with its tags.
//
// Templates are rendered by Jinja itself (python/); this only finds out, without starting Python,
// which variables a prompt needs. It knows Jinja's tokens and its statements, not the grammar of
// expressions: a name bound anywhere in the template (set, for, macro, with, import) counts as
// bound everywhere in it, so what is reported is certain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxcp::quality {

struct TemplateName {
  std::string name;
  std::size_t offset = 0;  // of its first use
};

// A delimiter or a statement that is never closed, an end without its beginning, a statement that
// Jinja does not have, an expression without content.
struct TemplateProblem {
  std::string message;
  std::string hint;
  std::size_t offset = 0;
};

struct TemplateReading {
  std::vector<TemplateName> free_names;  // in the order of their first use, each once
  std::vector<TemplateProblem> problems;
};

TemplateReading read_template(std::string_view text);

}  // namespace mxcp::quality
