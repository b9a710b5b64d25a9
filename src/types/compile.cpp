// TypeSpec -> Node, with every contradiction that a declaration can hold.
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/json.h"
#include "base/rules.h"
#include "base/text.h"
#include "types/changes.h"
#include "types/node.h"

namespace mxcp::types {
namespace {

unsigned bit(Kind kind) {
  return 1U << static_cast<unsigned>(kind);
}

// The counterpart of a keyword for another kind: minLength of a string is minItems of an array.
std::string counterpart(std::string_view keyword, Kind kind) {
  const bool upper = keyword.starts_with("max") || keyword == "exclusiveMaximum";
  const bool bound = upper || keyword.starts_with("min") || keyword == "exclusiveMinimum";
  if (bound && kind == Kind::kString) return upper ? "maxLength" : "minLength";
  if (bound && kind == Kind::kArray) return upper ? "maxItems" : "minItems";
  if (bound && (kind == Kind::kInteger || kind == Kind::kNumber)) {
    return upper ? "maximum" : "minimum";
  }
  return "";
}

class Compiler {
 public:
  Compiler(std::string_view subject, std::vector<Error>& problems)
      : subject_(subject), problems_(problems) {}

  Node compile(const TypeSpec& spec, const std::string& where, bool inside_sensitive) {
    const std::size_t before = problems_.size();
    Node node;
    node.spec = &spec;
    node.kind = spec.kind;
    node.format = spec.format;
    const bool sensitive = inside_sensitive || spec.sensitive;
    node.hidden = sensitive || has_sensitive(spec);
    check_keywords(spec, where);
    switch (spec.kind) {
      case Kind::kString: compile_string(spec, where, node); break;
      case Kind::kNumber:
      case Kind::kInteger: compile_number(spec, where, node); break;
      case Kind::kArray:
        check_order(spec, where, "minItems", spec.min_items, "maxItems", spec.max_items);
        node.has_rules = spec.min_items || spec.max_items || spec.unique_items;
        if (spec.items) {
          node.items = std::make_unique<Node>(
              compile(*spec.items, where.empty() ? "items" : where + "[]", sensitive));
        }
        break;
      case Kind::kObject: compile_object(spec, where, sensitive, node); break;
      case Kind::kBoolean: break;
    }
    // Values are tried only against a sound type: else one mistake would be reported many times.
    if (problems_.size() == before) compile_values(spec, where, node);
    return node;
  }

 private:
  void report(const TypeSpec& spec, const std::string& keyword, const std::string& where,
              std::string message, std::string hint = "") {
    if (!where.empty()) message = subject_ + "'" + where + "': " + message;
    const auto place = spec.places.find(keyword);
    Error error{Code::kConfig, std::move(message),
                place == spec.places.end() ? spec.place : place->second, std::move(hint)};
    problems_.push_back(std::move(error).as(rules::kType));
  }

  // Keywords that say nothing about this kind are mistakes, not decoration.
  void check_keywords(const TypeSpec& spec, const std::string& where) {
    struct Keyword {
      const char* name;
      bool present;
      unsigned kinds;
      const char* applies_to;
    };
    const unsigned string = bit(Kind::kString);
    const unsigned numeric = bit(Kind::kNumber) | bit(Kind::kInteger);
    const unsigned array = bit(Kind::kArray);
    const unsigned object = bit(Kind::kObject);
    const std::array<Keyword, 16> keywords = {{
        {"format", spec.format != Format::kNone, string, "strings"},
        {"minLength", spec.min_length.has_value(), string, "strings"},
        {"maxLength", spec.max_length.has_value(), string, "strings"},
        {"pattern", spec.pattern.has_value(), string, "strings"},
        {"minimum", spec.minimum.has_value(), numeric, "numbers and integers"},
        {"maximum", spec.maximum.has_value(), numeric, "numbers and integers"},
        {"exclusiveMinimum", spec.exclusive_minimum.has_value(), numeric, "numbers and integers"},
        {"exclusiveMaximum", spec.exclusive_maximum.has_value(), numeric, "numbers and integers"},
        {"multipleOf", spec.multiple_of.has_value(), numeric, "numbers and integers"},
        {"minItems", spec.min_items.has_value(), array, "arrays"},
        {"maxItems", spec.max_items.has_value(), array, "arrays"},
        {"uniqueItems", spec.unique_items, array, "arrays"},
        {"items", spec.items != nullptr, array, "arrays"},
        {"properties", !spec.properties.empty(), object, "objects"},
        {"required", !spec.required.empty(), object, "objects"},
        {"additionalProperties", !spec.additional_properties, object, "objects"},
    }};
    for (const Keyword& keyword : keywords) {
      const std::string name = keyword.name;
      // `uniqueItems: false` is told from its absence by its place. The places of an object are
      // also those of its properties, whatever they are called.
      const bool written = spec.properties.empty() && spec.places.contains(name);
      if ((!keyword.present && !written) || (keyword.kinds & bit(spec.kind)) != 0) continue;
      std::string hint;
      if (name == "format") {
        hint = "use 'type: string' with this format";
      } else if (spec.kind == Kind::kArray && (keyword.kinds & object) != 0) {
        hint = "declare an object under 'items'";
      } else if (const std::string other = counterpart(name, spec.kind); !other.empty()) {
        hint = "did you mean '" + other + "'?";
      }
      report(spec, name, where,
             "'" + name + "' applies to " + keyword.applies_to + ", not to type " +
                 std::string(name_of(spec.kind)),
             hint);
    }
  }

  void check_order(const TypeSpec& spec, const std::string& where, const char* low_name,
                   const std::optional<std::uint64_t>& low, const char* high_name,
                   const std::optional<std::uint64_t>& high) {
    if (!low || !high || *low <= *high) return;
    report(spec, low_name, where,
           std::string("'") + low_name + "' (" + std::to_string(*low) + ") is greater than '" +
               high_name + "' (" + std::to_string(*high) + ")");
  }

  void compile_string(const TypeSpec& spec, const std::string& where, Node& node) {
    check_order(spec, where, "minLength", spec.min_length, "maxLength", spec.max_length);
    node.has_rules = spec.min_length || spec.max_length || spec.pattern;
    if (!spec.pattern) return;
    re2::RE2::Options options;
    options.set_log_errors(false);
    node.pattern = std::make_unique<re2::RE2>(*spec.pattern, options);
    if (node.pattern->ok()) return;
    const std::string reason = node.pattern->error();
    std::string hint;
    if (node.pattern->error_code() == re2::RE2::ErrorBadPerlOp) {
      hint = "patterns are RE2: no lookahead, no lookbehind; a named group is (?P<name>...)";
    } else if (const std::string& at = node.pattern->error_arg();
               at.size() == 2 && at[0] == '\\' && at[1] >= '1' && at[1] <= '9') {
      hint = "patterns are RE2: they have no backreferences";
    }
    report(spec, "pattern", where, "invalid pattern '" + *spec.pattern + "': " + reason, hint);
  }

  std::optional<Bound> compile_bound(const TypeSpec& spec, const std::string& where,
                                     const char* name, const std::optional<Value>& value) {
    if (!value) return std::nullopt;
    const double* d = value->as_double();
    if (!value->is_number() || (d && !std::isfinite(*d))) {
      report(spec, name, where,
             std::string("'") + name + "' must be a number, got " + show(*value));
      return std::nullopt;
    }
    return Bound{*value, decimal_of(*value)};
  }

  void compile_number(const TypeSpec& spec, const std::string& where, Node& node) {
    node.minimum = compile_bound(spec, where, "minimum", spec.minimum);
    node.maximum = compile_bound(spec, where, "maximum", spec.maximum);
    node.exclusive_minimum = compile_bound(spec, where, "exclusiveMinimum", spec.exclusive_minimum);
    node.exclusive_maximum = compile_bound(spec, where, "exclusiveMaximum", spec.exclusive_maximum);
    const auto check = [&](const char* low_name, const std::optional<Bound>& low,
                           const char* high_name, const std::optional<Bound>& high, bool closed) {
      if (!low || !high) return;
      const int order = compare(low->exact, high->exact);
      if (order < 0 || (order == 0 && closed)) return;
      const std::string a = std::string("'") + low_name + "' (" + to_json(low->value) + ")";
      const std::string b = std::string("'") + high_name + "' (" + to_json(high->value) + ")";
      report(spec, low_name, where,
             order > 0 ? a + " is greater than " + b : "no value lies between " + a + " and " + b);
    };
    check("minimum", node.minimum, "maximum", node.maximum, true);
    check("minimum", node.minimum, "exclusiveMaximum", node.exclusive_maximum, false);
    check("exclusiveMinimum", node.exclusive_minimum, "maximum", node.maximum, false);
    check("exclusiveMinimum", node.exclusive_minimum, "exclusiveMaximum", node.exclusive_maximum,
          false);
    if (const auto step = compile_bound(spec, where, "multipleOf", spec.multiple_of)) {
      node.multiple_of = divisor_of(step->exact);
      if (step->exact.is_zero() || step->exact.negative) {
        report(spec, "multipleOf", where,
               "'multipleOf' must be greater than 0, got " + to_json(step->value));
      } else if (!node.multiple_of) {
        report(spec, "multipleOf", where, "'multipleOf' may have at most 18 significant digits");
      }
    }
    node.has_rules = spec.minimum || spec.maximum || spec.exclusive_minimum ||
                     spec.exclusive_maximum || spec.multiple_of;
  }

  void compile_object(const TypeSpec& spec, const std::string& where, bool sensitive, Node& node) {
    std::set<std::string_view> seen;
    node.properties.reserve(spec.properties.size());
    for (const auto& [name, type] : spec.properties) {
      if (!seen.insert(name).second) {
        report(spec, name, where, "property '" + name + "' is declared twice");
      }
      const std::string path = where.empty() ? name : where + "." + name;
      node.property_names.push_back(name);
      node.properties.push_back({name, compile(type, path, sensitive), false});
    }
    for (const std::string& name : spec.required) {
      const auto property = std::find_if(node.properties.begin(), node.properties.end(),
                                         [&](const auto& p) { return p.name == name; });
      if (property != node.properties.end()) {
        property->required = true;
      } else if (node.properties.empty() && spec.additional_properties) {
        // A free object of which only some names are known.
        node.required_undeclared.push_back(name);
      } else {
        report(spec, "required", where,
               "'required' names '" + name + "', which is not among the properties",
               suggest(name, node.property_names));
      }
    }
  }

  // enum, default and examples, as coerce() sees them.
  void compile_values(const TypeSpec& spec, const std::string& where, Node& node) {
    const auto convert = [&](const Value& value, const std::string& keyword,
                             std::int64_t index) -> std::optional<Value> {
      std::vector<Violation> violations;
      Sink sink(violations);
      const Path root{nullptr, keyword};
      const Path at{&root, {}, index};
      Value out;
      coerce_node(node, value, Source::kJson, index < 0 ? root : at, sink, out);
      for (const Violation& v : violations) {
        report(spec, keyword, where, "the type refuses its own " + v.path + ": " + v.message);
      }
      if (!violations.empty()) return std::nullopt;
      return out;
    };
    if (spec.enum_values) {
      if (spec.enum_values->empty()) {
        report(spec, "enum", where, "'enum' must list at least one value");
      }
      std::vector<Node::EnumValue> choices;
      for (std::size_t i = 0; i < spec.enum_values->size(); ++i) {
        const Value& declared = (*spec.enum_values)[i];
        if (declared.is_null()) {
          node.enum_has_null = true;
          continue;
        }
        if (auto coerced = convert(declared, "enum", static_cast<std::int64_t>(i))) {
          Value shown = shown_form(node, declared, *coerced);
          const bool twice = std::any_of(choices.begin(), choices.end(), [&](const auto& c) {
            return json_equal(c.declared, shown);
          });
          if (!twice) choices.push_back({*std::move(coerced), std::move(shown)});
        }
      }
      if (choices.empty() && node.enum_has_null) {
        report(spec, "enum", where, "'enum' must list a value besides null");
      }
      node.enum_values = std::move(choices);
      node.has_enum = true;
    }
    if (spec.default_value) {
      if (auto coerced = convert(*spec.default_value, "default", -1)) {
        node.shown_default = shown_form(node, *spec.default_value, *coerced);
        node.default_value = std::move(coerced);
      }
    }
    for (std::size_t i = 0; i < spec.examples.size(); ++i) {
      const Value& example = spec.examples[i];
      if (auto coerced = convert(example, "examples", static_cast<std::int64_t>(i))) {
        node.shown_examples.push_back(shown_form(node, example, *coerced));
      }
    }
  }

  // A declared value as it stands in a schema: as the author wrote it where that is of the declared
  // kind, else converted ("5" of an integer is 5).
  static Value shown_form(const Node& node, const Value& declared, const Value& coerced) {
    if (node.kind == Kind::kInteger || node.kind == Kind::kBoolean) return coerced;
    if (node.kind == Kind::kString) return declared.is_string() ? declared : coerced;
    if (node.kind == Kind::kNumber) return declared.is_number() ? declared : coerced;
    std::vector<Violation> violations;
    Sink sink(violations);
    check_node(node, declared, {}, sink);
    return violations.empty() ? declared : coerced;
  }

  std::string subject_;
  std::vector<Error>& problems_;
};

}  // namespace

Node::Node() = default;
Node::~Node() = default;
Node::Node(Node&&) noexcept = default;

Node compile_node(const TypeSpec& spec, std::string_view parameter, std::vector<Error>& problems) {
  Compiler compiler(parameter.empty() ? "" : "parameter ", problems);
  return compiler.compile(spec, std::string(parameter), false);
}

}  // namespace mxcp::types
