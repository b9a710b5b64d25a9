#include "project/endpoint.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "support/temp_project.h"

using namespace mxcp;
using namespace mxcp::project;

namespace {

EndpointFile loaded(const test::TempProject& project, const std::string& path) {
  return load_endpoint(project.root() / path, project.root());
}

std::shared_ptr<const Endpoint> endpoint_of(test::TempProject& project, const std::string& path,
                                            const std::string& yaml) {
  project.write(path, yaml);
  const EndpointFile file = loaded(project, path);
  CAPTURE(test::texts_of(file.errors));
  REQUIRE(file.endpoint != nullptr);
  CHECK(file.errors.empty());
  return file.endpoint;
}

}  // namespace

TEST_CASE("every key of a tool") {
  test::TempProject project;
  const auto tool = endpoint_of(project, "tools/deep/a.yml", R"(mxcp: "1.0"
metadata: {owner: me, since: 2024}
tool:
  name: find_orders
  description: |
    Finds orders.
  tags: [orders, "42"]
  annotations:
    title: Find orders
    readOnlyHint: true
    destructiveHint: false
    idempotentHint: true
    openWorldHint: false
  parameters:
    - name: status
      type: string
      description: Which
      enum: [open, closed]
      default: open
      examples: [open]
      minLength: 1
      maxLength: 10
      pattern: "^[a-z]+$"
    - name: ids
      type: array
      items: {type: integer, minimum: 1, exclusiveMaximum: 1000, multipleOf: 1}
      minItems: 1
      maxItems: 5
      uniqueItems: true
      default:
    - name: filter
      type: object
      properties:
        from: {type: string, format: date}
        secret: {type: string, sensitive: true}
      required: [from]
      additionalProperties: false
      default: null
    - name: ratio
      type: number
      exclusiveMinimum: 0
      maximum: 1.5
  return:
    type: array
    items:
      type: object
      properties: {id: {type: integer}}
  source:
    code: |
      SELECT 1
        WHERE $status = 'x'
  policies:
    input:
      - condition: user.role == 'guest'
        action: deny
        reason: No guests
    output:
      - condition: "true"
        action: mask_fields
        fields: [email]
      - condition: "true"
        action: filter_sensitive_fields
  tests:
    - name: all
      description: Everything
      arguments:
        - key: status
          value: open
        - {key: ratio, value: 0.5}
      user_context: {role: admin, n: 1}
      result: null
      result_contains: {a: 1}
      result_not_contains: [b]
      result_contains_item: 0
      result_contains_all: [1, x]
      result_length: 0
      result_contains_text: "1"
    - name: fails
      arguments: []
      error_contains: status
  enabled: true
)");
  CHECK(tool->kind == EndpointKind::kTool);
  CHECK(tool->name == "find_orders");
  CHECK(tool->id() == "find_orders");
  CHECK(tool->place == Place{"tools/deep/a.yml", 4, 9});
  CHECK(tool->description == "Finds orders.\n");
  CHECK(tool->tags == std::vector<std::string>{"orders", "42"});
  CHECK(tool->annotations->title == "Find orders");
  CHECK(tool->annotations->read_only == true);
  CHECK(tool->annotations->destructive == false);
  CHECK(tool->annotations->idempotent == true);
  CHECK(tool->annotations->open_world == false);
  CHECK(to_json(tool->metadata) == R"({"owner":"me","since":2024})");
  CHECK(tool->file == project.root() / "tools/deep/a.yml");
  CHECK(tool->display_file == "tools/deep/a.yml");
  CHECK(tool->language == Language::kSql);

  REQUIRE(tool->parameters.entries().size() == 4);
  const auto& status = tool->parameters.entries()[0].type.spec();
  CHECK(status.kind == types::Kind::kString);
  CHECK(to_json(*status.default_value) == "\"open\"");
  CHECK(to_json(Array(*status.enum_values)) == R"(["open","closed"])");
  CHECK(to_json(Array(status.examples)) == R"(["open"])");
  CHECK(status.min_length == 1);
  CHECK(status.max_length == 10);
  CHECK(status.pattern == "^[a-z]+$");
  CHECK(status.place == Place{"tools/deep/a.yml", 15, 7});
  CHECK(status.places.at("pattern") == Place{"tools/deep/a.yml", 23, 16});
  const auto& ids = tool->parameters.entries()[1].type.spec();
  CHECK(ids.items->kind == types::Kind::kInteger);
  CHECK(to_json(*ids.items->minimum) == "1");
  CHECK(to_json(*ids.items->exclusive_maximum) == "1000");
  CHECK(to_json(*ids.items->multiple_of) == "1");
  CHECK(ids.min_items == 1);
  CHECK(ids.max_items == 5);
  CHECK(ids.unique_items);
  // A default without a value is null, and makes the parameter optional.
  CHECK(ids.default_value.has_value());
  CHECK(ids.default_value->is_null());
  const auto& filter = tool->parameters.entries()[2].type.spec();
  REQUIRE(filter.properties.size() == 2);
  CHECK(filter.properties[0].first == "from");
  CHECK(filter.properties[0].second.format == types::Format::kDate);
  CHECK(filter.properties[1].second.sensitive);
  CHECK(filter.required == std::vector<std::string>{"from"});
  CHECK(!filter.additional_properties);
  CHECK(filter.places.at("from") == Place{"tools/deep/a.yml", 34, 9});
  const auto& ratio = tool->parameters.entries()[3].type.spec();
  CHECK(!ratio.default_value.has_value());
  CHECK(to_json(*ratio.maximum) == "1.5");
  CHECK(tool->return_type->spec().items->properties[0].first == "id");

  CHECK(tool->source.text == "SELECT 1\n  WHERE $status = 'x'\n");
  CHECK(!tool->source.is_file);
  CHECK(tool->source.at(1, 1).text() == "tools/deep/a.yml:50:7");
  CHECK(tool->source.at(2, 9).text() == "tools/deep/a.yml:51:15");
  CHECK(tool->source.at_offset(tool->source.text.find("$status")).text() ==
        "tools/deep/a.yml:51:15");

  REQUIRE(tool->policies.input.size() == 1);
  CHECK(tool->policies.input[0].condition == "user.role == 'guest'");
  CHECK(tool->policies.input[0].action == PolicyRule::Action::kDeny);
  CHECK(tool->policies.input[0].reason == "No guests");
  CHECK(tool->policies.input[0].place == Place{"tools/deep/a.yml", 54, 20});
  REQUIRE(tool->policies.output.size() == 2);
  CHECK(tool->policies.output[0].fields == std::vector<std::string>{"email"});
  CHECK(tool->policies.output[1].action == PolicyRule::Action::kFilterSensitiveFields);

  REQUIRE(tool->tests.size() == 2);
  const TestCase& all = tool->tests[0];
  CHECK(all.name == "all");
  CHECK(all.description == "Everything");
  CHECK(to_json(all.arguments) == R"({"status":"open","ratio":0.5})");
  CHECK(to_json(*all.user_context) == R"({"role":"admin","n":1})");
  CHECK(all.result.has_value());  // an expectation of null, not the absence of one
  CHECK(all.result->is_null());
  CHECK(to_json(*all.result_contains) == R"({"a":1})");
  CHECK(*all.result_not_contains == std::vector<std::string>{"b"});
  CHECK(to_json(*all.result_contains_item) == "0");
  CHECK(to_json(Array(*all.result_contains_all)) == R"([1,"x"])");
  CHECK(all.result_length == 0);
  CHECK(all.result_contains_text == "1");
  CHECK(all.place == Place{"tools/deep/a.yml", 64, 7});
  CHECK(!tool->tests[1].result.has_value());
  CHECK(tool->tests[1].error_contains == "status");
}

TEST_CASE("a resource and a prompt") {
  test::TempProject project;
  const auto resource = endpoint_of(project, "resources/r.yml", R"(resource:
  uri: shop://users/{id}/orders/{order}
  mime_type: application/json
  parameters:
    - {name: order, type: integer}
    - {name: id, type: string}
  source: {code: 'SELECT $id, $order'}
)");
  CHECK(resource->kind == EndpointKind::kResource);
  CHECK(resource->name == "shop://users/{id}/orders/{order}");
  CHECK(resource->id() == "shop://users/{id}/orders/{order}");
  CHECK(resource->mime_type == "application/json");
  const auto named = endpoint_of(project, "resources/n.yml",
                                 "resource: {name: all, uri: 'a:b', source: {code: SELECT 1}}\n");
  CHECK(named->name == "all");
  CHECK(named->id() == "a:b");

  const auto prompt = endpoint_of(project, "prompts/p.yml", R"(prompt:
  name: ask
  parameters: [{name: topic, type: string}]
  messages:
    - prompt: You know {{ topic }}.
      role: system
    - prompt: |
        Tell me.
      role: user
      type: text
)");
  CHECK(prompt->kind == EndpointKind::kPrompt);
  REQUIRE(prompt->messages.size() == 2);
  CHECK(prompt->messages[0].prompt == "You know {{ topic }}.");
  CHECK(prompt->messages[0].role == "system");
  CHECK(!prompt->messages[0].type.has_value());
  CHECK(prompt->messages[1].prompt == "Tell me.\n");
  CHECK(prompt->messages[1].type == "text");
}

TEST_CASE("the language comes from the endpoint, the source, the file's ending, else SQL") {
  test::TempProject project;
  project.write("python/code.py", "").write("sql/q.sql", "SELECT 1").write("sql/q.txt", "SELECT 2");
  const auto language = [&](const std::string& body) {
    return endpoint_of(project, "tools/a.yml", "tool:\n  name: a\n" + body)->language;
  };
  CHECK(language("  source: {file: ../python/code.py}\n") == Language::kPython);
  CHECK(language("  source: {file: ../sql/q.sql}\n") == Language::kSql);
  CHECK(language("  source: {file: ../sql/q.txt}\n") == Language::kSql);
  CHECK(language("  source: {file: ../sql/q.txt, language: python}\n") == Language::kPython);
  CHECK(language("  language: python\n  source: {code: 'def a(): pass'}\n") == Language::kPython);
  CHECK(language("  source: {language: python, code: 'def a(): pass'}\n") == Language::kPython);
  CHECK(language("  source: {code: SELECT 1}\n") == Language::kSql);
  CHECK(language("  language: sql\n  source: {file: ../sql/q.txt}\n") == Language::kSql);
}

TEST_CASE("files of a source are relative to the YAML file, or to the root") {
  test::TempProject project;
  project.write("sql/q.sql",
                "\xEF\xBB\xBF"
                "SELECT 1\nFROM t");
  project.write("python/code.py", "");
  const auto deep = endpoint_of(project, "tools/x/y/a.yml",
                                "tool: {name: a, source: {file: ../../../sql/q.sql}}\n");
  CHECK(deep->source.is_file);
  CHECK(deep->source.path == project.root() / "sql/q.sql");
  CHECK(deep->source.display_file == "sql/q.sql");
  CHECK(deep->source.text == "SELECT 1\nFROM t");
  CHECK(deep->source.at(2, 6).text() == "sql/q.sql:2:6");
  CHECK(deep->source.place.text() == "tools/x/y/a.yml:1:32");
  const auto root =
      endpoint_of(project, "tools/x/b.yml", "tool: {name: b, source: {file: /python/code.py}}\n");
  CHECK(root->source.path == project.root() / "python/code.py");
  CHECK(root->source.text.empty());
}

TEST_CASE("places inside inline code") {
  test::TempProject project;
  const auto one_line = endpoint_of(project, "tools/a.yml",
                                    "tool:\n  name: a\n  source: {code: \"SELECT $x\"}\n"
                                    "  parameters: [{name: x, type: string}]\n");
  CHECK(one_line->source.at(1, 8).text() == "tools/a.yml:3:26");
  // Folded text has other lines than the file.
  const auto folded = endpoint_of(
      project, "tools/b.yml", "tool:\n  name: b\n  source:\n    code: >\n      SELECT\n      1\n");
  CHECK(folded->source.text == "SELECT 1\n");
  CHECK(folded->source.at(1, 8).text() == "tools/b.yml:6:7");
  CHECK(folded->source.at_offset(7).text() == "tools/b.yml:6:7");
  const auto wide = endpoint_of(project, "tools/c.yml",
                                "tool:\n  name: c\n  source:\n    code: |\n      SELECT 'é', 1\n");
  CHECK(wide->source.at_offset(wide->source.text.find('1')).text() == "tools/c.yml:5:19");
}

TEST_CASE("what is told of a broken file") {
  test::TempProject project;
  project.write("tools/a.yml", "tool:\n  nme: x\n  name: shown\n  enabled: false\n");
  EndpointFile file = loaded(project, "tools/a.yml");
  CHECK(file.kind == EndpointKind::kTool);
  CHECK(file.name == "shown");
  CHECK(!file.enabled);
  CHECK(file.endpoint == nullptr);
  CHECK(file.display_path == "tools/a.yml");
  // The name is found even when the file is no YAML.
  project.write("tools/b.yml",
                "mxcp: 1\ntool:\n  name: \"guessed\"  # here\n  description: a: b\n");
  file = loaded(project, "tools/b.yml");
  CHECK(file.kind == EndpointKind::kTool);
  CHECK(file.name == "guessed");
  CHECK(test::texts_of(file.errors) ==
        "tools/b.yml:4:17: a value that contains ': ' must be in quotes (write \"a: b\")\n");
  project.write("resources/r.yml", "resource:\n  uri: users://{id}\n  x: [\n");
  file = loaded(project, "resources/r.yml");
  CHECK(file.kind == EndpointKind::kResource);
  CHECK(file.name == "users://{id}");
  file = loaded(project, "tools/absent.yml");
  CHECK(test::texts_of(file.errors) == "tools/absent.yml: cannot read '" +
                                           (project.root() / "tools/absent.yml").string() +
                                           "': No such file or directory\n");
}

TEST_CASE("a file of something else is no endpoint") {
  test::TempProject project;
  project.write("tools/other.yml", "version: 2\nmodels: [{name: x}]\nsources: {a: b}\n");
  EndpointFile file = loaded(project, "tools/other.yml");
  CHECK(!file.kind.has_value());
  CHECK(file.errors.empty());
  CHECK(test::texts_of(file.warnings) ==
        "tools/other.yml:1:1: not an endpoint file (none of 'tool', 'resource' and 'prompt'): "
        "skipped "
        "(move it out of the folders for endpoints)\n");
  // But one that says mxcp is meant to be one.
  project.write("tools/other.yml", "mxcp: 1\nsuite: x\n");
  CHECK(test::texts_of(loaded(project, "tools/other.yml").errors) ==
        "tools/other.yml:1:1: an endpoint file needs one of 'tool', 'resource' and 'prompt'\n");
}

TEST_CASE("contradictions inside types are reported at their keyword, all of them") {
  test::TempProject project;
  project.write("tools/a.yml", R"(tool:
  name: a
  parameters:
    - name: n
      type: integer
      minimum: 10
      maximum: 1
    - name: s
      type: string
      pattern: "(["
  return: {type: object, properties: {a: {type: string}}, required: [b]}
  source: {code: SELECT 1}
)");
  const auto places = [&] {
    std::string out;
    for (const Error& error : loaded(project, "tools/a.yml").errors)
      out += error.place.text() + " ";
    return out;
  };
  CHECK(places() == "tools/a.yml:6:16 tools/a.yml:10:16 tools/a.yml:11:69 ");
  // Also beside a mistake of another sort.
  project.write("tools/a.yml", R"(tool:
  name: a
  parameters:
    - name: n
      type: integer
      minimum: 10
      maximum: 1
    - name: s
      type: strin
  source: {code: SELECT 1}
)");
  CHECK(places() == "tools/a.yml:6:16 tools/a.yml:9:13 ");
}

TEST_CASE("an anchor may be shared between types") {
  test::TempProject project;
  const auto tool = endpoint_of(project, "tools/a.yml", R"(tool:
  name: a
  parameters:
    - &id {name: id, type: integer, minimum: 1}
    - <<: *id
      name: other
  source: {code: 'SELECT $id, $other'}
)");
  CHECK(tool->parameters.entries()[1].name == "other");
  CHECK(to_json(*tool->parameters.entries()[1].type.spec().minimum) == "1");
}
