// Arguments: lossless conversion to the declared type, then the rules.
#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "types/formats.h"
#include "types/node.h"

namespace mxcp::types {
namespace {

// The number that a value is, or that its text says. Booleans are no numbers.
std::optional<Decimal> number_in(const Value& input) {
  if (const double* d = input.as_double(); d && !std::isfinite(*d)) return std::nullopt;
  if (input.is_number()) return decimal_of(input);
  if (const std::string* text = input.as_string()) return parse_decimal(trim(*text));
  return std::nullopt;
}

bool out_of_range(const Node& node, const Value& input, const Path& path, Sink& sink) {
  sink.add(path, "type",
           "expected " + std::string(node.kind == Kind::kInteger ? "an integer" : "a number") +
               " up to 1.8e308" + got(node, input));
  return false;
}

bool coerce_integer(const Node& node, const Value& input, const Path& path, Sink& sink,
                    Value& out) {
  if (input.as_int()) {
    out = input;
    return true;
  }
  if (const auto number = number_in(input)) {
    if (auto integer = to_integer(*number)) {
      out = *std::move(integer);
      // Past that SQL and JavaScript have only infinity.
      if (std::isfinite(to_double(out))) return true;
      return out_of_range(node, input, path, sink);
    }
    if (number->is_integral()) return out_of_range(node, input, path, sink);
  }
  add_wrong_kind(node, input, path, sink);
  return false;
}

bool coerce_number(const Node& node, const Value& input, const Path& path, Sink& sink, Value& out) {
  constexpr std::int64_t kExactDouble = std::int64_t{1} << 53;
  if (const double* d = input.as_double(); d && std::isfinite(*d)) {
    out = input;
    return true;
  }
  if (const std::int64_t* i = input.as_int(); i && *i >= -kExactDouble && *i <= kExactDouble) {
    out = static_cast<double>(*i);
    return true;
  }
  if (const auto number = number_in(input)) {
    out = to_number(*number);
    if (std::isfinite(to_double(out))) return true;
    return out_of_range(node, input, path, sink);
  }
  add_wrong_kind(node, input, path, sink);
  return false;
}

bool coerce_boolean(const Node& node, const Value& input, const Path& path, Sink& sink,
                    Value& out) {
  if (input.as_bool()) {
    out = input;
    return true;
  }
  if (const std::string* text = input.as_string(); text && text->size() <= 32) {
    const std::string word = to_lower(trim(*text));
    const bool yes = word == "true" || word == "1" || word == "yes";
    if (yes || word == "false" || word == "0" || word == "no") {
      out = yes;
      return true;
    }
  } else if (input.is_number() && (json_equal(input, 1) || json_equal(input, 0))) {
    out = json_equal(input, 1);
    return true;
  }
  add_wrong_kind(node, input, path, sink);
  return false;
}

template <class T>
Reason convert(const T* given, std::string_view text, Reason (*parse)(std::string_view, T&),
               Value& out) {
  T value = given ? *given : T{};
  const Reason reason = given ? Reason{} : parse(text, value);
  if (reason.empty()) out = value;
  return reason;
}

// The formats that become values of their own; `text` is the input's text.
Reason coerce_temporal(Format format, const Value& input, std::string_view text, Value& out) {
  switch (format) {
    case Format::kDate: return convert(input.as_date(), text, parse_date, out);
    case Format::kTime: return convert(input.as_time(), text, parse_time, out);
    case Format::kDateTime: return convert(input.as_timestamp(), text, parse_date_time, out);
    default: break;
  }
  Timestamp at;
  Reason reason;
  if (const Timestamp* given = input.as_timestamp(); given && given->has_zone) {
    at = Timestamp{given->micros, true, 0};
  } else {
    reason = input.is_number() ? timestamp_of(input, at) : parse_timestamp(text, at);
  }
  if (reason.empty()) out = at;
  return reason;
}

bool is_temporal(Format format) {
  return format == Format::kDate || format == Format::kTime || format == Format::kDateTime ||
         format == Format::kTimestamp;
}

bool coerce_string(const Node& node, const Value& input, Source source, const Path& path,
                   Sink& sink, Value& out) {
  const double* d = input.as_double();
  if (input.is_array() || input.is_object() || input.as_raw() || (d && !std::isfinite(*d))) {
    add_wrong_kind(node, input, path, sink);
    return false;
  }
  const std::string* text = input.as_string();
  if (!text) {
    // A boolean or a number as JSON writes it, anything else as text already is in JSON.
    out = to_plain_text(input);
    text = out.as_string();
  } else if (source == Source::kText && !is_valid_utf8(*text)) {
    sink.add(path, "type", "expected text in UTF-8" + got(node, input));
    return false;
  }
  const std::size_t before = sink.count();
  check_text(node, *text, input, path, sink);
  Reason reason;
  if (is_temporal(node.format)) {
    const std::string kept = *text;  // `text` may point into `out`
    reason = coerce_temporal(node.format, input, kept, out);
  } else {
    if (node.format == Format::kEmail) reason = check_email(*text);
    if (node.format == Format::kUri) reason = check_uri(*text);
    if (node.format == Format::kDuration) reason = check_duration(*text, false);
    if (input.is_string()) out = input;
  }
  if (!reason.empty()) add_wrong_format(node, input, reason, path, sink);
  return sink.count() == before;
}

// JSON text where an array or an object is declared. False: a violation was added.
bool parse_container(const Node& node, const std::string& text, Source source, const Path& path,
                     Sink& sink, Value& parsed) {
  auto result = parse_json(text);
  if (result.ok()) {
    parsed = *std::move(result);
    return true;
  }
  const bool array = node.kind == Kind::kArray;
  std::string message = array ? "expected an array" : "expected an object";
  if (source == Source::kText) {
    message += array ? R"( as JSON text such as ["a", "b"])" : R"( as JSON text such as {"a": 1})";
  }
  const Error& error = result.error();
  message += got(node, text) + " (" + error.message + " at line " +
             std::to_string(error.place.line) + ", column " + std::to_string(error.place.column) +
             ")";
  sink.add(path, "type", std::move(message));
  return false;
}

bool coerce_array(const Node& node, const Array& items, const Path& path, Sink& sink, Value& out) {
  const std::size_t before = sink.count();
  Array converted;
  if (node.items) {
    converted.reserve(items.size());
    for (std::size_t i = 0; i < items.size() && !sink.full(); ++i) {
      const Path at{&path, {}, static_cast<std::int64_t>(i)};
      coerce_node(*node.items, items[i], Source::kJson, at, sink, converted.emplace_back());
    }
  } else {
    for (std::size_t i = 0; i < items.size(); ++i) {
      check_free(&node, items[i], {&path, {}, static_cast<std::int64_t>(i)}, sink);
    }
    converted = items;
  }
  if (sink.count() == before) check_items(node, converted, path, sink);
  out = std::move(converted);
  return sink.count() == before;
}

bool coerce_object(const Node& node, const Object& object, const Path& path, Sink& sink,
                   Value& out) {
  const std::size_t before = sink.count();
  Object converted;
  converted.reserve(object.size());
  std::size_t known = 0;
  for (const Node::Property& property : node.properties) {
    if (const Value* given = object.find(property.name)) {
      ++known;
      const Path at{&path, property.name};
      Value& member = converted.add(std::string(property.name), {});
      coerce_node(property.node, *given, Source::kJson, at, sink, member);
    } else if (property.node.default_value) {
      converted.add(std::string(property.name), *property.node.default_value);
    } else if (property.required) {
      add_missing(property.name, path, sink);
    }
  }
  for (const std::string_view name : node.required_undeclared) {
    if (!object.contains(name)) add_missing(name, path, sink);
  }
  if (known < object.size()) {
    if (!node.spec->additional_properties) add_unexpected(node, object, path, sink);
    const auto is_declared = [&](const std::string& key) {
      return std::any_of(node.properties.begin(), node.properties.end(),
                         [&](const Node::Property& property) { return property.name == key; });
    };
    for (const auto& [key, value] : object) {
      if (sink.full()) break;
      if (is_declared(key)) continue;
      check_free(&node, value, {&path, key}, sink);
      converted.add(key, value);
    }
  }
  out = std::move(converted);
  return sink.count() == before;
}

}  // namespace

void check_free(const Node* node, const Value& value, const Path& path, Sink& sink) {
  if (sink.full()) return;
  if (value.as_number() != nullptr || value.as_double() != nullptr) {
    if (std::isfinite(to_double(value))) return;
    const std::string shown = node != nullptr ? got(*node, value) : ", got " + show(value);
    sink.add(path, "type", "expected a number up to 1.8e308" + shown);
  } else if (const Array* const items = value.as_array()) {
    for (std::size_t i = 0; i < items->size(); ++i) {
      check_free(node, (*items)[i], {&path, {}, static_cast<std::int64_t>(i)}, sink);
    }
  } else if (const Object* const members = value.as_object()) {
    for (const auto& [key, member] : *members) check_free(node, member, {&path, key}, sink);
  }
}

void coerce_node(const Node& node, const Value& input, Source source, const Path& path, Sink& sink,
                 Value& out) {
  if (input.is_null()) {
    out = nullptr;
    return;
  }
  bool fits = false;
  switch (node.kind) {
    case Kind::kString: fits = coerce_string(node, input, source, path, sink, out); break;
    case Kind::kInteger:
    case Kind::kNumber: {
      fits = node.kind == Kind::kInteger ? coerce_integer(node, input, path, sink, out)
                                         : coerce_number(node, input, path, sink, out);
      if (fits) check_number(node, out, input, path, sink);
      break;
    }
    case Kind::kBoolean: fits = coerce_boolean(node, input, path, sink, out); break;
    case Kind::kArray:
    case Kind::kObject: {
      const bool is_array = node.kind == Kind::kArray;
      if (const std::string* text = input.as_string()) {
        Value parsed;
        if (!parse_container(node, *text, source, path, sink, parsed)) return;
        if (parsed.is_string()) {
          add_wrong_kind(node, parsed, path, sink);
        } else {
          coerce_node(node, parsed, Source::kJson, path, sink, out);
        }
        return;
      }
      if (const Array* array = is_array ? input.as_array() : nullptr) {
        fits = coerce_array(node, *array, path, sink, out);
      } else if (const Object* object = is_array ? nullptr : input.as_object()) {
        fits = coerce_object(node, *object, path, sink, out);
      } else {
        add_wrong_kind(node, input, path, sink);
      }
      break;
    }
  }
  if (!fits || !node.has_enum) return;
  for (const auto& choice : node.enum_values) {
    if (same_value(out, choice.coerced)) return;
  }
  add_not_in_enum(node, input, path, sink);
}

}  // namespace mxcp::types
