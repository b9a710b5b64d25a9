#include "project/type_reader.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace mxcp::project {
namespace {

using types::TypeSpec;

const Keys kTypeKeys = {
    "type",
    "format",
    "description",
    "default",
    "examples",
    "enum",
    "sensitive",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "properties",
    "required",
    "additionalProperties",
};

Keys with_name(Keys keys) {
  keys.insert(keys.begin(), "name");
  keys.push_back("completion");
  return keys;
}
Keys with_header(Keys keys) {
  keys.push_back("x-mcp-header");
  return keys;
}
// Inside of a parameter; a return type has no headers.
const Keys kInnerKeys = with_header(kTypeKeys);
const Keys kParameterKeys = with_name(kInnerKeys);

// Keywords of JSON Schema and of other tools that authors try.
const Advice kTypeAdvice = {
    {"$ref", "references are not supported: write the type out, or use a YAML anchor"},
    {"anyOf", "a type is one of string, number, integer, boolean, array and object"},
    {"oneOf", "a type is one of string, number, integer, boolean, array and object"},
    {"allOf", "a type is one of string, number, integer, boolean, array and object"},
    {"not", "only the keywords of one plain type are supported"},
    {"const", "write 'enum' with one value"},
    {"nullable", "null is accepted for every type"},
    {"optional", "a parameter with a 'default' is optional; 'default: null' will do"},
    {"choices", "did you mean 'enum'?"},
    {"values", "did you mean 'enum'?"},
    {"options", "did you mean 'enum'?"},
    {"example", "did you mean 'examples', a list?"},
    {"min", "did you mean 'minimum'?"},
    {"max", "did you mean 'maximum'?"},
    {"regex", "did you mean 'pattern'?"},
    {"fields", "did you mean 'properties'?"},
    {"desc", "did you mean 'description'?"},
    {"secret", "did you mean 'sensitive'?"},
    {"title", "did you mean 'description'?"},
};

const std::vector<std::pair<std::string_view, std::string_view>> kTypeSynonyms = {
    {"str", "string"},     {"text", "string"},    {"varchar", "string"}, {"int", "integer"},
    {"bigint", "integer"}, {"long", "integer"},   {"float", "number"},   {"double", "number"},
    {"decimal", "number"}, {"numeric", "number"}, {"bool", "boolean"},   {"list", "array"},
    {"tuple", "array"},    {"dict", "object"},    {"map", "object"},     {"struct", "object"},
    {"json", "object"},    {"any", "object"},
};

const std::vector<std::pair<std::string_view, std::string_view>> kFormatAsType = {
    {"date", "date"},
    {"datetime", "date-time"},
    {"date-time", "date-time"},
    {"time", "time"},
    {"timestamp", "timestamp"},
    {"email", "email"},
    {"uri", "uri"},
    {"url", "uri"},
    {"duration", "duration"},
};

std::string unknown_type_hint(const std::string& name) {
  const std::string word = to_lower(name);
  for (const auto& [synonym, kind] : kTypeSynonyms) {
    if (word == synonym) return "write 'type: " + std::string(kind) + "'";
  }
  for (const auto& [synonym, format] : kFormatAsType) {
    if (word == synonym) return "write 'type: string' and 'format: " + std::string(format) + "'";
  }
  const std::string near = suggest(name, types::kind_names());
  return near.empty() ? "a type is one of " + join(types::kind_names(), ", ") : near;
}

class TypeReader {
 public:
  TypeReader(Problems& problems, const YamlNode& node, std::string_view what, Place owner,
             const Keys& keys)
      : problems_(problems),
        node_(node),
        inner_keys_(&keys == &kTypeKeys ? kTypeKeys : kInnerKeys),
        fields_(problems, node, std::string(what), std::move(owner), keys, kTypeAdvice) {}

  Fields& fields() { return fields_; }

  std::optional<TypeSpec> read() {
    if (!fields_.is_mapping()) return {};
    TypeSpec spec;
    spec.place = problems_.place(node_);
    for (const auto& member : node_.members) {
      spec.places.emplace(member.key, problems_.place(member.value));
    }
    const bool has_kind = read_kind(spec);
    read_format(spec);
    spec.description = fields_.text("description").value_or("");
    if (const YamlNode* value = node_.find("default")) spec.default_value = value->to_value();
    if (const YamlNode* list = value_list("examples")) {
      for (const YamlNode& item : list->items) spec.examples.push_back(item.to_value());
    }
    if (const YamlNode* list = value_list("enum")) {
      spec.enum_values.emplace();
      for (const YamlNode& item : list->items) spec.enum_values->push_back(item.to_value());
    }
    spec.sensitive = fields_.boolean("sensitive").value_or(false);
    spec.min_length = count("minLength");
    spec.max_length = count("maxLength");
    spec.pattern = fields_.text("pattern");
    spec.minimum = number("minimum");
    spec.maximum = number("maximum");
    spec.exclusive_minimum = number("exclusiveMinimum");
    spec.exclusive_maximum = number("exclusiveMaximum");
    spec.multiple_of = number("multipleOf");
    spec.min_items = count("minItems");
    spec.max_items = count("maxItems");
    spec.unique_items = fields_.boolean("uniqueItems").value_or(false);
    read_items(spec);
    read_properties(spec);
    read_required(spec);
    read_additional_properties(spec);
    read_header(spec);
    if (const auto sql = fields_.text("completion")) {
      spec.completion = *sql;
      spec.completion_map = fields_.find("completion")->map;
    }
    if (!has_kind) return {};
    return spec;
  }

 private:
  bool read_kind(TypeSpec& spec) {
    const YamlNode* node = fields_.find("type");
    if (!node) {
      fields_.missing("type", "a type is one of " + join(types::kind_names(), ", "));
      return false;
    }
    if (node->kind == YamlNode::Kind::kSequence) {
      fields_.wrong("type", "one type", "null is accepted for every type");
      return false;
    }
    if (!is_text(*node)) {
      fields_.wrong("type", "one of " + join(types::kind_names(), ", "));
      return false;
    }
    const auto kind = types::kind_from(node->scalar);
    if (!kind) {
      problems_.error(problems_.place(*node), "unknown type '" + shorten(node->scalar, 60) + "'",
                      unknown_type_hint(node->scalar), rules::kUnknownType);
      return false;
    }
    spec.kind = *kind;
    return true;
  }

  void read_format(TypeSpec& spec) {
    const auto name = fields_.text("format");
    if (!name) return;
    if (const auto format = types::format_from(*name)) {
      spec.format = *format;
      return;
    }
    std::string hint;
    for (const auto& [synonym, format] : kFormatAsType) {
      if (to_lower(*name) == synonym) hint = "did you mean '" + std::string(format) + "'?";
    }
    if (hint.empty()) hint = suggest(*name, types::format_names());
    if (hint.empty()) hint = "a format is one of " + join(types::format_names(), ", ");
    problems_.error(fields_.place_of("format"), "unknown format '" + shorten(*name, 60) + "'",
                    std::move(hint), rules::kUnknownFormat);
  }

  const YamlNode* value_list(std::string_view key) {
    const YamlNode* node = fields_.find(key);
    if (!node || node->kind == YamlNode::Kind::kSequence) return node;
    std::string hint;
    if (node->kind == YamlNode::Kind::kScalar) {
      hint = "write [" + shorten(node->scalar, 40) + "]";
    }
    fields_.wrong(key, "a list of values", std::move(hint));
    return nullptr;
  }

  std::optional<std::uint64_t> count(std::string_view key) {
    const auto value = fields_.integer(key, 0);
    if (!value) return {};
    return static_cast<std::uint64_t>(*value);
  }

  std::optional<Value> number(std::string_view key) {
    const YamlNode* node = fields_.find(key);
    if (!node) return {};
    Value value = node->kind == YamlNode::Kind::kScalar ? node->to_value() : Value();
    if (value.is_number()) return value;
    fields_.wrong(key, "a number",
                  node->kind == YamlNode::Kind::kScalar && !node->plain ? "remove the quotes" : "");
    return {};
  }

  // `items: string` and `properties: {id: string}` are the usual shortcuts that do not exist.
  std::optional<TypeSpec> nested(const YamlNode& node, std::string_view what, Place owner) {
    if (is_text(node) && types::kind_from(node.scalar)) {
      problems_.error(
          problems_.place(node),
          std::string(what) + " must be a mapping with a 'type', found " + node.describe(),
          "write {type: " + node.scalar + "}");
      return {};
    }
    return TypeReader(problems_, node, what, std::move(owner), inner_keys_).read();
  }

  void read_items(TypeSpec& spec) {
    const YamlNode* node = fields_.find("items");
    if (!node) return;
    if (auto items = nested(*node, "the type of the items", fields_.key_place("items"))) {
      spec.items = std::make_shared<const TypeSpec>(*std::move(items));
    }
  }

  void read_properties(TypeSpec& spec) {
    const YamlNode* node =
        fields_.mapping("properties", "write 'name: {type: ...}' for each property");
    if (!node) return;
    spec.properties.reserve(node->members.size());
    for (const auto& member : node->members) {
      spec.places.emplace(member.key, problems_.place(member));
      if (member.value.kind == YamlNode::Kind::kNull) {
        problems_.error(problems_.place(member),
                        "property '" + shorten(member.key, 60) + "' has no type",
                        "write {type: ...} after it");
        continue;
      }
      const std::string what = "property '" + shorten(member.key, 60) + "'";
      if (auto type = nested(member.value, what, problems_.place(member))) {
        spec.properties.emplace_back(member.key, *std::move(type));
      }
    }
  }

  void read_required(TypeSpec& spec) {
    const YamlNode* node = fields_.find("required");
    if (!node) return;
    if (node->kind == YamlNode::Kind::kScalar && node->to_value().as_bool()) {
      fields_.wrong("required", "a list of property names",
                    "a parameter is required unless it has a 'default'; an object lists its "
                    "required properties");
      return;
    }
    if (auto names = fields_.texts("required")) spec.required = *std::move(names);
  }

  void read_additional_properties(TypeSpec& spec) {
    const YamlNode* node = fields_.find("additionalProperties");
    if (node && node->kind == YamlNode::Kind::kMapping) {
      fields_.wrong("additionalProperties", "true or false",
                    "a type for further properties is not supported");
      return;
    }
    spec.additional_properties = fields_.boolean("additionalProperties").value_or(true);
  }

  void read_header(TypeSpec& spec) {
    const auto name = fields_.text("x-mcp-header");
    if (!name) return;
    const Problems::Rule rule(problems_, rules::kWrongValue);
    const Place place = fields_.place_of("x-mcp-header");
    if (!is_header_token(*name)) {
      problems_.error(place, "'" + shorten(*name, 60) + "' is no name for a header",
                      "letters, digits and - only, for example 'Region'");
    } else if (spec.kind != types::Kind::kString && spec.kind != types::Kind::kInteger &&
               spec.kind != types::Kind::kBoolean) {
      problems_.error(
          place,
          "'x-mcp-header' stands at a parameter of type " + std::string(types::name_of(spec.kind)),
          "a header repeats a string, an integer or a boolean");
    } else {
      spec.mcp_header = *name;
    }
  }

  Problems& problems_;
  const YamlNode& node_;
  const Keys& inner_keys_;
  Fields fields_;
};

// "user-name" -> "user_name"; "" when nothing is left to suggest.
std::string as_identifier(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (word) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (!out.empty() && out.front() >= '0' && out.front() <= '9') out.insert(0, "_");
  return out;
}

void check_name(Problems& problems, const Place& place, const std::string& name) {
  if (is_identifier(name)) return;
  const std::string better = as_identifier(name);
  problems.error(place,
                 "'" + shorten(name, 60) +
                     "' is no name for a parameter: letters, digits and _ only, and no digit first",
                 better.empty() ? "" : "for example '" + better + "'", rules::kName);
}

}  // namespace

bool is_header_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != kMarks.npos;
  });
}

std::optional<TypeSpec> read_type(Problems& problems, const YamlNode& node, std::string_view what,
                                  Place owner) {
  return TypeReader(problems, node, what, std::move(owner), kTypeKeys).read();
}

std::vector<types::ParameterSpec> read_parameters(Problems& problems, const YamlNode& list) {
  std::vector<types::ParameterSpec> out;
  out.reserve(list.items.size());
  std::vector<std::pair<std::string, int>> seen;
  for (const YamlNode& item : list.items) {
    const Place place = problems.place(item);
    if (is_text(item)) {
      problems.error(place,
                     "a parameter must be a mapping of keys to values, found " + item.describe(),
                     "write '- name: " + shorten(item.scalar, 40) + "' and a 'type'");
      continue;
    }
    TypeReader reader(problems, item, "a parameter", place, kParameterKeys);
    std::string name = reader.fields().required_text("name");
    if (!name.empty()) {
      const Place at = reader.fields().place_of("name");
      check_name(problems, at, name);
      const auto first = std::find_if(seen.begin(), seen.end(),
                                      [&](const auto& entry) { return entry.first == name; });
      if (first != seen.end()) {
        problems.error(at,
                       "the parameter '" + shorten(name, 60) +
                           "' is declared twice; the first time on line " +
                           std::to_string(first->second),
                       "remove or rename one of them", rules::kDuplicateName);
      }
      seen.emplace_back(name, at.line);
    }
    auto type = reader.read();
    if (type && !name.empty()) out.push_back({std::move(name), *std::move(type), place});
  }
  return out;
}

}  // namespace mxcp::project
