// Any arguments, as JSON and as texts of a command line, for parameters of every type and format.
#include "endpoint_properties.h"

using namespace mxcp;

namespace {

constexpr std::string_view kTool = R"(mxcp: 1
tool:
  name: t
  parameters:
    - {name: s, type: string, minLength: 1, maxLength: 9, pattern: "^[a-z]+$", default: a}
    - {name: plain, type: string, default: a}
    - {name: i, type: integer, minimum: -5, maximum: 9007199254740993, default: 0}
    - {name: even, type: integer, multipleOf: 2, default: 0}
    - {name: n, type: number, multipleOf: 0.01, exclusiveMinimum: -1e3, default: 0}
    - {name: b, type: boolean, default: true}
    - {name: choice, type: string, enum: [a, b, "1", null], default: a}
    - {name: date, type: string, format: date, default: "2024-02-29"}
    - {name: time, type: string, format: time, default: "12:00:00"}
    - {name: moment, type: string, format: date-time, default: "2024-02-29T12:00:00Z"}
    - {name: span, type: string, format: duration, default: P1D}
    - {name: email, type: string, format: email, default: a@b.org}
    - {name: uri, type: string, format: uri, default: "urn:a:b"}
    - {name: stamp, type: string, format: timestamp, default: "0"}
    - {name: l, type: array, items: {type: integer}, uniqueItems: true, maxItems: 4, default: []}
    - {name: any, type: array, default: []}
    - name: o
      type: object
      default: {}
      properties:
        d: {type: string, format: date-time}
        deep: {type: array, items: {type: object, properties: {n: {type: number}}}}
      additionalProperties: false
    - {name: free, type: object, default: {}}
  source: {code: SELECT 1}
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto tool = project::parse_endpoint(kTool, "t.yml").endpoint;
  if (!tool) std::abort();
  const auto given = parse_json(fuzz::text_of(data, size));
  if (!given.ok() || !given->is_object()) return 0;
  fuzz::report(fuzz::arguments(tool->parameters, *given->as_object(), types::Source::kJson));
  Object texts;
  for (const auto& [name, value] : *given->as_object()) {
    texts.set(name, value.is_string() ? *value.as_string() : to_json(value));
  }
  return fuzz::report(fuzz::arguments(tool->parameters, texts, types::Source::kText));
}
