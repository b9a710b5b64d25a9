#include "project/endpoint.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"
#include "project/endpoint_extras.h"
#include "project/endpoint_parts.h"
#include "project/fields.h"
#include "project/limits_reader.h"
#include "project/policy_reader.h"
#include "project/source_reader.h"
#include "project/type_reader.h"

namespace mxcp::project {
namespace {

const Keys kKinds = {"tool", "resource", "prompt"};
const Keys kFileKeys = {"mxcp", "tool", "resource", "prompt", "metadata"};
const Keys kToolKeys = {"name",          "description", "tags",   "annotations", "parameters",
                        "return",        "language",    "source", "policies",    "tests",
                        "enabled",       "title",       "icons",  "_meta",       "input_schema",
                        "output_schema", "task",        "limits", "content"};
const Keys kResourceKeys = {"name",        "uri",     "description", "tags",   "mime_type",
                            "parameters",  "return",  "language",    "source", "policies",
                            "tests",       "enabled", "title",       "icons",  "_meta",
                            "annotations", "cache",   "limits"};
const Keys kPromptKeys = {"name",     "description", "tags",   "parameters", "return",
                          "messages", "policies",    "tests",  "enabled",    "title",
                          "icons",    "_meta",       "limits", "language",   "source"};
const Advice kEndpointAdvice = {
    {"returns", "did you mean 'return'?"},
    {"return_type", "did you mean 'return'?"},
    {"output", "did you mean 'return'?"},
    {"outputSchema", "did you mean 'return'?"},
    {"params", "did you mean 'parameters'?"},
    {"args", "did you mean 'parameters'?"},
    {"arguments", "did you mean 'parameters'?"},
    {"input", "did you mean 'parameters'?"},
    {"inputSchema", "did you mean 'parameters'?"},
    {"code", "write it under 'source:'"},
    {"file", "write it under 'source:'"},
    {"sql", "write 'source:' and under it 'code: |'"},
    {"query", "write 'source:' and under it 'code: |'"},
    {"mimeType", "did you mean 'mime_type'?"},
    {"policy", "did you mean 'policies'?"},
    {"metadata", "write it at the top of the file, beside 'mxcp:'"},
    {"disabled", "write 'enabled: false'"},
    {"meta", "did you mean '_meta'?"},
    {"icon", "did you mean 'icons', a list?"},
    {"tasks", "did you mean 'task'?"},
    {"input_schema", "a tool can have it, in place of 'parameters'"},
    {"output_schema", "a tool can have it, in place of 'return'"},
    {"task", "only a tool can run as a task"},
    {"cache", "only a resource can be kept by clients"},
    {"content", "only a tool has it; of a resource, 'mime_type' says what it is"},
    {"limit", "did you mean 'limits'?"},
    {"timeout", "write it under 'limits:'"},
    {"max_rows", "write it under 'limits:'"},
    {"max_bytes", "write it under 'limits:'"},
    {"concurrency", "write it under 'limits:'"},
    {"rate", "write it under 'limits:'"},
    {"rate_limit", "write 'limits:' and under it for example 'rate: 10/s'"},
    {"readOnlyHint", "write it under 'annotations:'"},
    {"prompt", "write 'messages:' and under it '- prompt: ...'"},
    {"template", "write 'messages:' and under it '- prompt: ...'"},
};
constexpr std::string_view kIndent = "indent it under 'tool:', 'resource:' or 'prompt:'";
const Advice kFileAdvice = {
    {"name", kIndent},
    {"description", kIndent},
    {"parameters", kIndent},
    {"return", kIndent},
    {"source", kIndent},
    {"language", kIndent},
    {"tests", kIndent},
    {"tags", kIndent},
    {"annotations", kIndent},
    {"policies", kIndent},
    {"messages", kIndent},
    {"uri", kIndent},
    {"enabled", kIndent},
    {"mime_type", kIndent},
    {"limits", kIndent},
    {"tools", "one file holds one endpoint, under 'tool:'"},
    {"resources", "one file holds one endpoint, under 'resource:'"},
    {"prompts", "one file holds one endpoint, under 'prompt:'"},
};

// What MCP recommends: A-Z a-z 0-9 _ - . It allows 128 of them, but many clients only 64.
bool is_mcp_name(std::string_view name) {
  return name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

class EndpointReader {
 public:
  EndpointReader(const fs::path& path, const fs::path& root, const Limits& limits,
                 EndpointFile& file)
      : path_(path), root_(root), limits_(limits), file_(file), problems_(file.display_path) {}

  void read() {
    auto text = read_file(path_);
    if (text.ok()) return parse(*text);
    problems_.error(problems_.start(), text.error().message, {}, rules::kFile);
    file_.errors = problems_.take_errors();
  }

  void parse(std::string_view text) {
    if (auto tree = parse_yaml(text, file_.display_path); !tree.ok()) {
      problems_.add(std::move(tree).error().as(rules::kYaml));
      guess_name(text);
    } else {
      read_document(*tree);
    }
    if (endpoint_ && (!problems_.has_errors() || code_known_)) {
      (problems_.has_errors() ? file_.draft : file_.endpoint) = std::move(endpoint_);
    }
    file_.errors = problems_.take_errors();
    file_.warnings = problems_.take_warnings();
  }

 private:
  void read_document(const YamlNode& document) {
    const Problems::Rule rule(problems_, rules::kEndpointKind);
    if (document.kind == YamlNode::Kind::kNull) {
      problems_.error(problems_.start(), "the file is empty",
                      "begin it with 'mxcp: 1' and 'tool:', 'resource:' or 'prompt:'");
      return;
    }
    if (document.kind != YamlNode::Kind::kMapping) {
      problems_.error(problems_.place(document),
                      "an endpoint file must be a mapping with the key 'tool', 'resource' or "
                      "'prompt', found " +
                          document.describe());
      return;
    }
    std::vector<const YamlNode::Member*> bodies;
    for (const auto& member : document.members) {
      if (std::find(kKinds.begin(), kKinds.end(), member.key) != kKinds.end()) {
        bodies.push_back(&member);
      }
    }
    if (bodies.empty()) return read_without_body(document);

    // Known before anything else can fail, so that lists can name a broken file.
    const YamlNode::Member& body = *bodies.front();
    file_.kind = endpoint_kind_from(body.key);
    file_.kind_place = problems_.place(body);
    if (body.value.kind == YamlNode::Kind::kNull) {
      problems_.error(problems_.place(body), "'" + body.key + "' has no value",
                      "indent its keys under it");
      return;
    }
    const std::size_t before = problems_.error_count();
    Fields top(problems_, document, "an endpoint file", problems_.place(document), kFileKeys,
               kFileAdvice);
    const bool keys_known = problems_.error_count() == before;
    read_version(top);
    for (std::size_t i = 1; i < bodies.size(); ++i) {
      problems_.error(problems_.place(*bodies[i]),
                      "a file holds one endpoint, but '" + body.key + "' on line " +
                          std::to_string(body.line) + " is there already",
                      "move one of them to a file of its own");
    }
    auto endpoint = std::make_shared<Endpoint>();
    if (const YamlNode* metadata = top.mapping("metadata")) {
      endpoint->metadata = *metadata->to_value().as_object();
    }
    read_body(body, *endpoint);
    // Such a key may belong into the body.
    code_known_ = code_known_ && keys_known;
    endpoint_ = std::move(endpoint);
  }

  // Of a file that is no YAML: so that asking for the endpoint by name shows what is wrong with it.
  void guess_name(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string_view key = trim(line.substr(0, colon));
      if (!file_.kind) {
        file_.kind = endpoint_kind_from(line.substr(0, colon));
      } else if (key == (file_.kind == EndpointKind::kResource ? "uri" : "name")) {
        std::string_view value = trim(line.substr(colon + 1));
        while (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
          value.remove_prefix(1);
        }
        file_.name = value.substr(0, value.find_first_of("\"' \t"));
        return;
      }
    }
  }

  // Neither tool nor resource nor prompt: a slip, or a file of something else.
  void read_without_body(const YamlNode& document) {
    const auto has = [&](std::string_view key) { return document.find_member(key) != nullptr; };
    if (has("name") && (has("source") || has("parameters") || has("return") || has("language"))) {
      problems_.error(problems_.place(document.members.front()),
                      "the keys of an endpoint stand here without 'tool:' above them",
                      "write 'tool:' on a line before and indent them under it");
      return;
    }
    for (const auto& member : document.members) {
      const auto near = std::find_if(kKinds.begin(), kKinds.end(), [&](std::string_view kind) {
        return edit_distance(member.key, kind) <= 2;
      });
      const bool plural_form =
          member.key == "tools" || member.key == "resources" || member.key == "prompts";
      const bool body_like = member.value.kind == YamlNode::Kind::kMapping && near != kKinds.end();
      if (!body_like && !plural_form) continue;
      problems_.error(problems_.place(member),
                      "unknown key '" + shorten(member.key, 60) + "' in an endpoint file",
                      plural_form ? "one file holds one endpoint, under '" +
                                        member.key.substr(0, member.key.size() - 1) + ":'"
                                  : "did you mean '" + std::string(*near) + "'?");
      return;
    }
    if (has("mxcp")) {
      problems_.error(problems_.place(document),
                      "an endpoint file needs one of 'tool', 'resource' and 'prompt'");
      return;
    }
    problems_.warning(problems_.place(document),
                      "not an endpoint file (none of 'tool', 'resource' and 'prompt'): skipped",
                      "move it out of the folders for endpoints");
  }

  // 1; also "1" and "1.0", which older files have.
  void read_version(Fields& top) {
    const YamlNode* node = top.find("mxcp");
    if (!node) return;
    const bool one =
        node->kind == YamlNode::Kind::kScalar && (node->scalar == "1" || node->scalar == "1.0");
    if (!one) top.wrong("mxcp", "1, the version of the format");
  }

  void read_body(const YamlNode::Member& body, Endpoint& endpoint) {
    const EndpointKind kind = *file_.kind;
    const Keys& keys = kind == EndpointKind::kTool       ? kToolKeys
                       : kind == EndpointKind::kResource ? kResourceKeys
                                                         : kPromptKeys;
    const std::string what = "the " + body.key;
    const Problems::Rule rule(problems_, rules::kWrongValue);
    Fields fields(problems_, body.value, what, problems_.place(body), keys, kEndpointAdvice);
    if (!fields.is_mapping()) return;

    endpoint.kind = kind;
    endpoint.file = path_;
    endpoint.display_file = file_.display_path;
    endpoint.enabled = file_.enabled = fields.boolean("enabled").value_or(true);
    read_name(fields, endpoint);
    endpoint.description = fields.text("description").value_or("");
    endpoint.tags = fields.texts("tags").value_or(std::vector<std::string>{});
    if (kind == EndpointKind::kTool) {
      read_annotations(problems_, fields, endpoint.annotations);
      read_task(problems_, fields, endpoint.task);
    }
    if (kind == EndpointKind::kResource) {
      read_mime_type(fields, endpoint);
      read_content_annotations(problems_, fields, endpoint.content_annotations);
      read_cache(problems_, fields, endpoint.cache);
    }
    read_appearance(problems_, fields, endpoint);
    const std::size_t before_parameters = problems_.error_count();
    if (kind == EndpointKind::kTool && fields.find("input_schema") != nullptr) {
      read_input_schema(fields, endpoint);
    } else {
      read_parameter_set(fields, endpoint);
    }
    const bool parameters_sound = problems_.error_count() == before_parameters;
    if (kind == EndpointKind::kTool && fields.find("output_schema") != nullptr) {
      read_output_schema(fields, endpoint);
    } else {
      read_return(fields, endpoint);
    }
    if (kind == EndpointKind::kTool) {
      const std::size_t before_content = problems_.error_count();
      read_content(problems_, fields, endpoint.content);
      check_content_uri(fields, endpoint);
      if (problems_.error_count() > before_content) {
        endpoint.content.reset();
        endpoint.return_type.reset();
      }
    }
    endpoint.limits = limits_;
    read_endpoint_limits(problems_, fields, kind, endpoint.limits);
    check_limits(endpoint);
    const std::size_t before_source = problems_.error_count();
    if (kind == EndpointKind::kPrompt) {
      read_prompt(fields, endpoint);
    } else {
      read_source(problems_, fields, {path_, root_, file_.display_path}, endpoint.language,
                  endpoint.source);
    }
    const bool source_sound =
        problems_.error_count() == before_source || !endpoint.messages.empty();
    check_names_in_sql(fields, endpoint);
    code_known_ = source_sound && names_known_ && !endpoint.name.empty() && !hides_code(fields);
    read_policies(problems_, fields, parameters_sound, endpoint);
    read_tests(problems_, fields, endpoint.tests);
    check_test_arguments(endpoint);
  }

  // Whether a key that does not exist may stand for one that the code needs.
  static bool hides_code(const Fields& fields) {
    const bool without_parameters = !fields.has("parameters") && !fields.has("input_schema");
    if (without_parameters && fields.has_stray_key()) return true;
    constexpr std::array<std::string_view, 6> kNeeded = {"name",   "parameters", "input_schema",
                                                         "source", "messages",   "language"};
    return std::any_of(kNeeded.begin(), kNeeded.end(),
                       [&](const auto key) { return fields.was_suggested(key); });
  }

  // DuckDB ignores the case of $name.
  void check_names_in_sql(const Fields& fields, const Endpoint& endpoint) {
    const bool is_sql =
        endpoint.kind != EndpointKind::kPrompt && endpoint.language == Language::kSql;
    if (!is_sql && !has_completion_) return;
    const auto& entries = endpoint.parameters.entries();
    for (auto one = entries.begin(); one != entries.end(); ++one) {
      const auto first = std::find_if(entries.begin(), one, [&](const auto& entry) {
        return entry.name != one->name && to_lower(entry.name) == to_lower(one->name);
      });
      if (first == one) continue;
      const Place& place = one->type.spec().place;
      problems_.error(place.known() ? place : fields.place_of("input_schema"),
                      "the parameters '" + shorten(first->name, 60) + "' and '" +
                          shorten(one->name, 60) +
                          "' are one to DuckDB, which ignores the case of names",
                      "rename one of them", rules::kDuplicateName);
    }
  }

  // In the SQL of a completion $value is what was typed.
  void check_completions(const std::vector<types::ParameterSpec>& specs, EndpointKind kind) {
    if (kind == EndpointKind::kTool) return;
    for (const auto& spec : specs) {
      has_completion_ = has_completion_ || !spec.type.completion.empty();
      if (to_lower(spec.name) != "value") continue;
      const bool hidden = std::any_of(specs.begin(), specs.end(), [&](const auto& other) {
        return &other != &spec && !other.type.completion.empty();
      });
      if (!hidden) continue;
      const Problems::Rule rule(problems_, rules::kCompletionValue);
      problems_.warning(spec.place,
                        "completions cannot see the parameter '" + spec.name +
                            "': in their SQL $value is what was typed",
                        "give the parameter another name");
    }
  }

  // Messages, or a Python function that gives them.
  void read_prompt(Fields& fields, Endpoint& endpoint) {
    if (!fields.has("source")) {
      read_messages(problems_, fields, endpoint.messages);
      if (fields.has("messages") && fields.has("language")) {
        problems_.error(fields.key_place("language"), "the messages of a prompt have no language",
                        "remove it, or put a Python function under 'source:' in place of "
                        "'messages:'");
      }
      return;
    }
    if (fields.has("messages")) {
      problems_.error(fields.key_place("source"),
                      "'messages' and 'source' both say what the prompt is", "remove one of them");
      return;
    }
    const std::size_t before = problems_.error_count();
    read_source(problems_, fields, {path_, root_, file_.display_path}, endpoint.language,
                endpoint.source);
    if (endpoint.language == Language::kPython || problems_.error_count() > before) return;
    const Problems::Rule rule(problems_, rules::kSource);
    problems_.error(endpoint.source.place,
                    "the source of a prompt is Python: SQL gives rows and no messages",
                    "write 'language: python' and a function named like the prompt, or "
                    "'messages:' in place of 'source:'");
  }

  void read_name(Fields& fields, Endpoint& endpoint) {
    const Problems::Rule rule(problems_, rules::kName);
    if (endpoint.kind == EndpointKind::kResource) {
      endpoint.uri = fields.required_text("uri", "for example 'users://{id}'");
      endpoint.name = fields.text("name").value_or("");
      if (endpoint.name.empty()) endpoint.name = endpoint.uri;
      file_.name = endpoint.uri;
      endpoint.place = fields.place_of("uri");
    } else {
      endpoint.name = file_.name = fields.required_text("name");
      endpoint.place = fields.place_of("name");
      if (!endpoint.name.empty() && !is_mcp_name(endpoint.name)) {
        problems_.warning(
            endpoint.place,
            "the name '" + shorten(endpoint.name, 60) + "' may be refused by MCP clients",
            "use at most 64 letters, digits, '_', '-' and '.'");
      }
    }
    file_.name_place = endpoint.place;
  }

  void read_mime_type(Fields& fields, Endpoint& endpoint) {
    endpoint.mime_type = fields.text("mime_type");
    if (endpoint.mime_type && endpoint.mime_type->find('/') == std::string::npos) {
      problems_.error(fields.place_of("mime_type"),
                      "'" + shorten(*endpoint.mime_type, 60) + "' is no MIME type",
                      "for example 'application/json' or 'text/plain'");
    }
  }

  void read_parameter_set(Fields& fields, Endpoint& endpoint) {
    const YamlNode* node = fields.find("parameters");
    std::vector<types::ParameterSpec> specs;
    bool sound = true;
    if (node && node->kind == YamlNode::Kind::kMapping) {
      const std::string example = node->members.empty() ? "id" : node->members.front().key;
      fields.wrong("parameters", "a list",
                   "write '- name: " + shorten(example, 40) + "' and under it its keys");
      return;
    }
    const YamlNode* list = fields.list("parameters", "begin each parameter with '- name: '");
    if (list) {
      const std::size_t before = problems_.error_count();
      specs = read_parameters(problems_, *list);
      sound = problems_.error_count() == before;
    } else if (node) {
      return;
    }
    for (const auto& spec : specs) parameter_names_.push_back(spec.name);
    parameters_known_ = sound;
    names_known_ = (list == nullptr || specs.size() == list->items.size()) &&
                   std::all_of(parameter_names_.begin(), parameter_names_.end(),
                               [](const auto& name) { return is_identifier(name); });
    check_completions(specs, endpoint.kind);
    if (endpoint.kind == EndpointKind::kResource) check_placeholders(specs, endpoint);
    check_parameter_extras(problems_, endpoint.kind, specs, endpoint.header_parameters);
    if (specs.empty()) return;
    if (!sound) {
      // The types that could be read may have problems of their own.
      add_all(types::ParameterSet::problems(specs));
      endpoint.parameters = names_only();
      return;
    }
    auto compiled = types::ParameterSet::compile(std::move(specs));
    if (compiled.ok()) {
      endpoint.parameters = *std::move(compiled);
      return;
    }
    // compile() took the declarations and gave the first problem: read them again for all.
    Problems known(file_.display_path);
    add_all(types::ParameterSet::problems(read_parameters(known, *list)));
    endpoint.parameters = names_only();
  }

  // For code that is checked although the types are not known.
  types::ParameterSet names_only() const {
    Object properties;
    for (const std::string& name : parameter_names_) properties.add(name, Object());
    return types::ParameterSet::of_schema(Object{{"properties", std::move(properties)}});
  }

  void read_input_schema(Fields& fields, Endpoint& endpoint) {
    if (fields.has("parameters")) {
      problems_.error(fields.key_place("parameters"),
                      "'parameters' and 'input_schema' both say what the arguments are",
                      "remove one of them");
    }
    parameters_known_ = false;
    auto schema = read_schema(problems_, *fields.find("input_schema"), "input_schema");
    if (!schema) return;
    endpoint.parameters = types::ParameterSet::of_schema(std::move(schema->value));
    endpoint.header_parameters = std::move(schema->headers);
    names_known_ = true;
  }

  void read_output_schema(Fields& fields, Endpoint& endpoint) {
    if (fields.has("return")) {
      problems_.error(fields.key_place("return"),
                      "'return' and 'output_schema' both say what the result is",
                      "remove one of them");
    }
    auto schema = read_schema(problems_, *fields.find("output_schema"), "output_schema");
    if (!schema) return;
    endpoint.output_schema = std::make_shared<const std::string>(to_json(schema->value));
    types::TypeSpec object;
    object.kind = types::Kind::kObject;
    if (auto type = types::Type::compile(std::move(object)); type.ok()) {
      endpoint.return_type = *std::move(type);
    }
  }

  void read_return(Fields& fields, Endpoint& endpoint) {
    const YamlNode* node = fields.find("return");
    if (!node) return;
    if (is_text(*node) && types::kind_from(node->scalar)) {
      fields.wrong("return", "a mapping with a 'type'", "write {type: " + node->scalar + "}");
      return;
    }
    const std::size_t before = problems_.error_count();
    auto spec = read_type(problems_, *node, "the return type", fields.key_place("return"));
    if (!spec) return;
    if (problems_.error_count() > before) return add_all(types::Type::problems(*spec));
    auto compiled = types::Type::compile(*std::move(spec));
    if (compiled.ok()) {
      endpoint.return_type = *std::move(compiled);
      return;
    }
    Problems known(file_.display_path);
    const auto again = read_type(known, *node, "the return type", fields.key_place("return"));
    add_all(types::Type::problems(*again));
  }

  // Every placeholder of an embedded resource's URI is a parameter.
  void check_content_uri(Fields& fields, const Endpoint& endpoint) {
    if (!endpoint.content || endpoint.content->uri.empty()) return;
    const YamlNode::Member* const member = fields.find("content")->find_member("uri");
    const Place place = problems_.place(member->value);
    for (const std::string& name : read_placeholders(problems_, place, endpoint.content->uri)) {
      if (!parameters_known_ || std::find(parameter_names_.begin(), parameter_names_.end(), name) !=
                                    parameter_names_.end()) {
        continue;
      }
      problems_.error(place, "the placeholder '{" + shorten(name, 60) + "}' is no parameter",
                      suggest(name, parameter_names_));
    }
  }

  // A result that has to have more rows than it may have.
  void check_limits(const Endpoint& endpoint) {
    const auto& max_rows = endpoint.limits.max_rows;
    if (!max_rows || !endpoint.return_type) return;
    const auto& min_items = endpoint.return_type->spec().min_items;
    if (!min_items || *min_items <= max_rows->value) return;
    problems_.error(max_rows->own ? max_rows->place : endpoint.place,
                    "the return type has minItems " + std::to_string(*min_items) +
                        ", but 'max_rows' cuts results to " + std::to_string(max_rows->value),
                    max_rows->own ? "raise 'max_rows', or write 'max_rows: none'"
                                  : "the limit is in mxcp-site.yml; write 'limits: {max_rows: "
                                    "none}' here to switch it off");
  }

  void add_all(std::vector<Error> errors) {
    for (Error& error : errors) problems_.add(std::move(error));
  }

  // Every parameter is part of the URI and every placeholder a parameter.
  void check_placeholders(const std::vector<types::ParameterSpec>& specs,
                          const Endpoint& endpoint) {
    if (endpoint.uri.empty()) return;
    const Problems::Rule rule(problems_, rules::kUriParameter);
    const std::size_t before = problems_.error_count();
    const auto names = read_placeholders(problems_, endpoint.place, endpoint.uri);
    if (problems_.error_count() > before) return;
    for (const auto& spec : specs) {
      if (std::find(names.begin(), names.end(), spec.name) != names.end()) continue;
      std::string hint = suggest(spec.name, names);
      if (hint.empty()) hint = "add '{" + spec.name + "}' to the URI, or remove the parameter";
      problems_.error(spec.place,
                      "the parameter '" + spec.name + "' is no placeholder of the URI '" +
                          shorten(endpoint.uri, 80) + "'",
                      std::move(hint));
    }
    if (!parameters_known_) return;
    for (const std::string& name : names) {
      const bool declared =
          std::any_of(specs.begin(), specs.end(), [&](const auto& s) { return s.name == name; });
      if (declared) continue;
      problems_.error(endpoint.place,
                      "the placeholder '{" + shorten(name, 60) + "}' of the URI is not declared",
                      "add '- name: " + shorten(name, 60) + "' with its type to 'parameters:'");
    }
  }

  void check_test_arguments(const Endpoint& endpoint) {
    if (!parameters_known_) return;
    const Problems::Rule rule(problems_, rules::kTest);
    for (const TestCase& test : endpoint.tests) {
      if (test.error_contains) continue;
      for (const auto& [key, value] : test.arguments) {
        if (std::find(parameter_names_.begin(), parameter_names_.end(), key) !=
            parameter_names_.end()) {
          continue;
        }
        problems_.warning(test.place,
                          "the test '" + shorten(test.name, 60) + "' gives the argument '" +
                              shorten(key, 60) + "', which is no parameter",
                          suggest(key, parameter_names_));
      }
    }
  }

  const fs::path& path_;
  const fs::path& root_;
  const Limits& limits_;
  EndpointFile& file_;
  Problems problems_;
  std::shared_ptr<Endpoint> endpoint_;
  std::vector<std::string> parameter_names_;
  bool parameters_known_ = true;
  bool names_known_ = false;  // of the parameters
  bool has_completion_ = false;
  bool code_known_ = false;  // it can be checked whatever else is wrong
};

}  // namespace

std::string_view name_of(EndpointKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<EndpointKind> endpoint_kind_from(std::string_view name) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) return static_cast<EndpointKind>(i);
  }
  return {};
}

namespace {

Place place_or(const Place& otherwise, const std::string& file, TextMap::Position position) {
  return position.line > 0 ? Place{file, position.line, position.column} : otherwise;
}

}  // namespace

Place Source::at(int line, int column) const {
  return place_or(place, display_file, map.at(text, {line, column}));
}

Place Source::at_offset(std::size_t byte_offset) const {
  return place_or(place, display_file, map.at_offset(text, byte_offset));
}

Place PromptMessage::at_offset(std::size_t byte_offset) const {
  return place_or(place, place.file, map.at_offset(prompt, byte_offset));
}

Place PolicyRule::at_offset(std::size_t byte_offset) const {
  return place_or(place, place.file, map.at_offset(condition, byte_offset));
}

EndpointFile load_endpoint(const fs::path& path, const fs::path& root, const Limits& limits) {
  EndpointFile file;
  file.path = path;
  file.display_path = display_path(path, root);
  EndpointReader(path, root, limits, file).read();
  return file;
}

EndpointFile parse_endpoint(std::string_view text, const std::string& name, const Limits& limits) {
  EndpointFile file;
  file.path = name;
  file.display_path = name;
  EndpointReader(name, {}, limits, file).parse(text);
  return file;
}

}  // namespace mxcp::project
