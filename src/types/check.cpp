// Results: nothing is converted, everything that is declared is checked.
#include <cmath>

#include "base/json.h"
#include "types/formats.h"
#include "types/node.h"

namespace mxcp::types {
namespace {

Reason check_format(const Node& node, const Value& value, std::string_view text) {
  const bool is_text = value.is_string();
  switch (node.format) {
    case Format::kNone: return {};
    case Format::kEmail: return check_email(text);
    case Format::kUri: return check_uri(text);
    case Format::kDuration: return check_duration(text, true);
    case Format::kDate: {
      // A Date of SQL can lie outside the years that its text can say.
      Date date;
      return is_text || value.as_date() ? parse_date(text, date) : kMalformed;
    }
    case Format::kTime: {
      Time time;
      if (value.as_time()) return {};
      return is_text ? parse_time(text, time) : kMalformed;
    }
    case Format::kDateTime: {
      Timestamp at;
      if (value.as_timestamp() || value.as_date()) return {};
      // SQL has these among its timestamps; no schema shows this format.
      if (text == "infinity" || text == "-infinity") return {};
      return is_text ? parse_date_time(text, at) : kMalformed;
    }
    case Format::kTimestamp: {
      Timestamp at;
      if (value.as_timestamp()) return {};
      return is_text ? parse_timestamp(text, at) : kMalformed;
    }
  }
  return {};
}

// Whether there is a rule about the text itself, so that the text of a date must be made.
bool needs_text(const Node& node, const Value& value) {
  if (node.has_rules) return true;
  switch (node.format) {
    case Format::kNone: return false;
    case Format::kTime: return !value.as_time();
    case Format::kDateTime: return !value.as_timestamp() && !value.as_date();
    case Format::kTimestamp: return !value.as_timestamp();
    default: return true;
  }
}

void check_string(const Node& node, const Value& value, const Path& path, Sink& sink) {
  const std::string* text = value.as_string();
  std::string made;
  if (!text) {
    if (!value.as_date() && !value.as_time() && !value.as_timestamp() && !value.as_bytes()) {
      add_wrong_kind(node, value, path, sink);
      return;
    }
    if (needs_text(node, value)) made = to_plain_text(value);
    text = &made;
  }
  check_text(node, *text, value, path, sink);
  if (node.format != Format::kNone) {
    const Reason reason = check_format(node, value, *text);
    // SQL has nanoseconds; as text they are as good a date-time as any.
    if (!reason.empty() && reason != kTooFine) add_wrong_format(node, value, reason, path, sink);
  }
}

// Past 2^53 a double no longer tells an integer from its neighbour: it is not one exactly.
bool is_integer(const Value& value) {
  if (value.as_int()) return true;
  if (const double* d = value.as_double()) {
    return std::trunc(*d) == *d && std::abs(*d) <= 9007199254740992.0;
  }
  return value.as_number() && decimal_of(value).is_integral();
}

void check_object(const Node& node, const Object& object, const Path& path, Sink& sink) {
  // Rows come with their members in the declared order more often than not: look there first.
  const auto begin = object.begin();
  const std::size_t size = object.size();
  std::size_t expected = 0;
  std::size_t known = 0;
  for (const Node::Property& property : node.properties) {
    const Value* member = nullptr;
    if (expected < size && begin[static_cast<std::ptrdiff_t>(expected)].first == property.name) {
      member = &begin[static_cast<std::ptrdiff_t>(expected++)].second;
    } else {
      member = object.find(property.name);
    }
    if (member) {
      ++known;
      if (member->is_null()) continue;
      const Path at{&path, property.name};
      check_node(property.node, *member, at, sink);
    } else if (property.required) {
      add_missing(property.name, path, sink);
    }
  }
  for (const std::string_view name : node.required_undeclared) {
    if (!object.contains(name)) add_missing(name, path, sink);
  }
  if (known < size && !node.spec->additional_properties) add_unexpected(node, object, path, sink);
}

}  // namespace

void check_node(const Node& node, const Value& value, const Path& path, Sink& sink) {
  if (value.is_null() || sink.full()) return;
  if (const double* d = value.as_double(); d && !std::isfinite(*d)) return;  // null in JSON
  if (const RawJson* raw = value.as_raw()) {
    if (const auto parsed = parse_json(raw->text, {.max_depth = 1000})) {
      check_node(node, *parsed, path, sink);
    } else {
      add_wrong_kind(node, value, path, sink);
    }
    return;
  }
  const std::size_t before = sink.count();
  switch (node.kind) {
    case Kind::kString: check_string(node, value, path, sink); break;
    case Kind::kNumber:
    case Kind::kInteger:
      if (node.kind == Kind::kInteger ? is_integer(value) : value.is_number()) {
        check_number(node, value, value, path, sink);
      } else {
        add_wrong_kind(node, value, path, sink);
      }
      break;
    case Kind::kBoolean:
      if (!value.as_bool()) add_wrong_kind(node, value, path, sink);
      break;
    case Kind::kArray:
      if (const Array* items = value.as_array()) {
        check_items(node, *items, path, sink);
        if (!node.items) break;
        for (std::size_t i = 0; i < items->size() && !sink.full(); ++i) {
          const Path at{&path, {}, static_cast<std::int64_t>(i)};
          check_node(*node.items, (*items)[i], at, sink);
        }
      } else {
        add_wrong_kind(node, value, path, sink);
      }
      break;
    case Kind::kObject:
      if (const Object* object = value.as_object()) {
        check_object(node, *object, path, sink);
      } else {
        add_wrong_kind(node, value, path, sink);
      }
      break;
  }
  if (!node.has_enum || sink.count() != before) return;
  for (const auto& choice : node.enum_values) {
    if (json_equal(value, choice.declared)) return;
  }
  add_not_in_enum(node, value, path, sink);
}

}  // namespace mxcp::types
