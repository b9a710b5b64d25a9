// The names that a Jinja template takes from outside, and what is wrong with its tags.
//
// Templates are rendered by Jinja itself (python/); this only finds out, without starting Python,
// which variables a prompt needs. It knows Jinja's tokens and its statements, not the grammar of
// expressions: a name bound anywhere in the template (set, macro, import), or in a block that it
// is used in (for, with), counts as bound there from its beginning, so what is reported is certain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxcp::quality {

struct TemplateName {
  std::string name;
  std::size_t offset = 0;  // of its first use
  std::string bound_in;    // the statement that binds it, but only up to its end ("with"); or ""
};

// A delimiter or a statement that is never closed, an end without its beginning, a statement,
// filter or test that Jinja does not have, an expression without content, another template.
struct TemplateProblem {
  std::string message;
  std::string hint;
  std::size_t offset = 0;
  // A "filter" or "test" that Jinja 3.1 does not have, and its name; another version may.
  std::string what = {}, name = {};
};

struct TemplateReading {
  std::vector<TemplateName> free_names;  // in the order of their first use, each once
  std::vector<TemplateProblem> problems;
  bool has_code = false;  // anything but text
};

TemplateReading read_template(std::string_view text);

}  // namespace mxcp::quality
