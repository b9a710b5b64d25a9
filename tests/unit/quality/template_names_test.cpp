#include "quality/template_names.h"

#include <doctest/doctest.h>

#include "base/text.h"

namespace {

std::string names(std::string_view text) {
  return mxcp::join(mxcp::quality::free_names(text), " ");
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
