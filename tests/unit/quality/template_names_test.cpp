#include "quality/template_names.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace {

std::string names(std::string_view text) {
  std::vector<std::string> names;
  for (const auto& name : mxcp::quality::read_template(text).free_names) names.push_back(name.name);
  return mxcp::join(names, " ");
}

// "offset: message; hint" of each problem.
std::string problems(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto& problem : mxcp::quality::read_template(text).problems) {
    lines.push_back(std::to_string(problem.offset) + ": " + problem.message +
                    (problem.hint.empty() ? "" : "; " + problem.hint));
  }
  return mxcp::join(lines, "\n");
}

}  // namespace

TEST_CASE("variables of a template") {
  CHECK(names("no variables") == "");
  CHECK(names("{{ topic }} and {{b}} and {{ topic | upper }}") == "topic b");
  CHECK(names("{{ user.name }} {{ list[index] }} {{ d['key'] }}") == "user list index d");
  CHECK(names("{{ a ~ \"text b\" ~ 'c {{ d }}' }}") == "a");
  CHECK(names("{{ x | default(y, boolean=true) | join(', ') }}") == "x y");
  CHECK(names("{{ {'k': v}.k }} {{ [1, 2.5, w] }}") == "v w");
  CHECK(names("{{ a if b else c }}") == "a b c");
  CHECK(names("{{ größe }}") == "größe");
}

TEST_CASE("statements use and bind names") {
  CHECK(names("{% if a and not b %}{{ c }}{% elif d is defined %}{% else %}{% endif %}") ==
        "a b c d");
  CHECK(names("{% if x is not none and x == y %}{% endif %}") == "x y");
  CHECK(names("{% for item in items %}{{ loop.index }} {{ item.a }}{% endfor %}") == "items");
  CHECK(names("{% for k, v in d.items() if v > limit %}{{ k }}{{ v }}{% endfor %}") == "d limit");
  CHECK(names("{% set total = a + b %}{{ total }}") == "a b");
  CHECK(names("{% set text %}{{ a }}{% endset %}{{ text }}") == "a");
  CHECK(names("{% with x = a, y = 2 %}{{ x }}{{ y }}{% endwith %}") == "a");
  CHECK(names("{% macro m(a, b=1) %}{{ a }}{{ b }}{% endmacro %}{{ m(c) }}") == "c");
  CHECK(names("{% filter upper %}{{ a }}{% endfilter %}") == "a");
  CHECK(names("{% set ns = namespace(n=0) %}{% set ns.n = ns.n + k %}{{ ns.n }}") == "k");
  CHECK(names("{% for i in range(n) %}{{ i }}{% endfor %}") == "n");
  CHECK(names("{%- if a -%}{{- b -}}{%- endif -%}") == "a b");
}

TEST_CASE("comments, raw blocks and loose braces") {
  CHECK(names("{# {{ a }} #}{{ b }}") == "b");
  CHECK(names("{% raw %}{{ a }}{% if b %}{% endraw %}{{ c }}") == "c");
  CHECK(names("{ a } {{ b") == "");
  CHECK(names("{\"json\": {\"a\": {{ a }}}}") == "a");
}

TEST_CASE("a name is known up to the end of the block that binds it") {
  CHECK(names("{% with z = a %}{{ z }}{% endwith %}{{ z }}") == "a z");
  CHECK(names("{% with z = z, y = z %}{{ y }}{% endwith %}") == "z");
  CHECK(names("{% for x in a %}{{ x }}{% else %}{{ x }}{% endfor %}") == "a");
  CHECK(names("{% for x in a %}{% set y = x %}{% endfor %}{{ y }}") == "a y");
  CHECK(names("{% if a %}{% set y = 1 %}{% endif %}{{ y }}") == "a");
  CHECK(names("{% filter upper %}{% set y = 1 %}{% endfilter %}{{ y }}") == "");
  CHECK(names("{% macro m(x) %}{{ x }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ x }}") ==
        "x");
  CHECK(names("{% call(u) m(a) %}{{ u }}{% endcall %}{{ u }}") == "m a u");
  CHECK(names("{% set z = 1 %}{% with y = z %}{% for x in y %}{{ z }}{% endfor %}{% endwith %}") ==
        "");
  // What is never ended is another problem's business.
  CHECK(names("{% with z = 1 %}{{ z }}") == "");
  const auto free =
      mxcp::quality::read_template("{% for x in a %}{% endfor %}{{ x }}{{ y }}").free_names;
  REQUIRE(free.size() == 3);
  CHECK(free[0].bound_in == "");
  CHECK(free[1].bound_in == "for");
  CHECK(free[2].bound_in == "");
}

TEST_CASE("every name stands where it is used first") {
  const auto names =
      mxcp::quality::read_template("{{ a }} {%- if b -%}{{a}}{{ x.b ~ c }}{% endif %}").free_names;
  REQUIRE(names.size() == 4);
  CHECK(names[0].offset == 3);
  CHECK(names[1].offset == 15);
  CHECK(names[2].offset == 28);  // x
  CHECK(names[3].offset == 34);  // c
}

TEST_CASE("tags that Jinja would refuse") {
  CHECK(problems("{{ a }}{% if a %}{% for b in a %}{% else %}{% endfor %}{% else %}{% endif %}") ==
        "");
  CHECK(problems("{% set a = 1 %}{% set b %}text{% endset %}{% raw %}{% if %}{{{% endraw %}") ==
        "");
  CHECK(problems("{%- macro m(a) -%}{%- endmacro %}{% call m(1) %}{% endcall %}") == "");
  CHECK(problems("{% filter upper %}{% with a = 1 %}{% block b %}{% endblock %}{% endwith %}"
                 "{% endfilter %}") == "");
  CHECK(problems("a {{ b") == "2: this '{{' is never closed; add '}}'");
  CHECK(problems("{{ a }} {% if b }") == "8: this '{%' is never closed; add '%}'");
  CHECK(problems("{# a") == "0: this '{#' is never closed; add '#}'");
  CHECK(problems("x{{ }}{%%}") ==
        "1: there is no expression between {{ and }}\n6: there is no statement between {% and %}");
  CHECK(problems("{% if a %}x") == "0: 'if' is never ended; add '{% endif %}'");
  CHECK(problems("{% for a in b %}{% if a %}{% endfor %}{% endif %}") ==
        "26: 'endfor' ends nothing that is open here; 'endif' has to come first");
  CHECK(problems("{% endif %}") == "0: 'endif' ends nothing that is open here");
  CHECK(problems("{% iff a %}") == "0: Jinja has no statement 'iff'; did you mean 'if'?");
  CHECK(problems("{% if %}{% endif %}") == "0: 'if' has no expression");
  CHECK(problems("{% for a in b %}{% elif c %}{% endfor %}") ==
        "16: 'elif' stands outside of an 'if'");
}

TEST_CASE("filters and tests that Jinja does not have") {
  CHECK(
      problems("{{ a | upper | default('x') | items | d }}{{ a is defined }}{{ a is not none }}") ==
      "");
  CHECK(
      problems("{{ a is divisibleby 3 and b is in c }}{{ a.is }}{{ a.upper() }}{{ x is eq(1) }}") ==
      "");
  CHECK(problems("{{ a | nofilter }}") == "7: Jinja has no filter 'nofilter'");
  CHECK(problems("{{ a|uper|trim }}") == "5: Jinja has no filter 'uper'; did you mean 'upper'?");
  CHECK(problems("{{ a is zzz }}{{ a is not zzz }}") ==
        "8: Jinja has no test 'zzz'\n26: Jinja has no test 'zzz'");
  CHECK(problems("{{ a is None }}") == "8: Jinja has no test 'None'; did you mean 'none'?");
  CHECK(problems("{% if a is odd or b | x.y %}{% endif %}") == "22: Jinja has no filter 'x.y'");
  CHECK(problems("{% filter shout %}{% endfilter %}") ==
        "10: Jinja has no filter 'shout'; did you mean 'sort'?");
  CHECK(problems("{% filter upper|trim %}{% endfilter %}{% set a | title %}{% endset %}") == "");
  CHECK(problems("{# {{ a | nofilter }} #}{% raw %}{{ a | nofilter }}{% endraw %}") == "");
}

TEST_CASE("there are no other templates") {
  const std::string why =
      "' takes another template, and a prompt has only its own text; write the "
      "text here";
  CHECK(problems("{% include 'x' ignore missing %}") == "0: 'include" + why);
  CHECK(problems("{% import 'x' as y %}") == "0: 'import" + why);
  CHECK(problems("{% from 'x' import y %}") == "0: 'from" + why);
  CHECK(problems("{% extends 'x' %}{% block a %}{% endblock %}") == "0: 'extends" + why);
}
