#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "types/formats.h"
#include "types/node.h"

namespace mxcp::types {
namespace {

constexpr std::size_t kMaxViolations = 100;
constexpr std::size_t kShownCharacters = 60;
constexpr std::size_t kShownChoices = 20;
// Every integer up to here is a double of its own.
constexpr std::int64_t kExactDouble = std::int64_t{1} << 53;

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || static_cast<unsigned char>(c) >= 0x80;
  });
}

// JSON, but not much longer than what is shown of it.
void append_shown(std::string& out, const Value& value) {
  if (out.size() > kShownCharacters * 4) return;
  if (const std::string* text = value.as_string()) {
    append_json_string(out, shorten(*text, kShownCharacters));
  } else if (const Bytes* bytes = value.as_bytes()) {
    out += "bytes (" + std::to_string(bytes->data.size()) + ")";
  } else if (const Array* array = value.as_array()) {
    out += '[';
    for (const Value& item : *array) {
      if (&item != &array->front()) out += ',';
      if (out.size() > kShownCharacters * 4) break;
      append_shown(out, item);
    }
    out += ']';
  } else if (const Object* object = value.as_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!std::exchange(first, false)) out += ',';
      if (out.size() > kShownCharacters * 4) break;
      append_json_string(out, shorten(key, kShownCharacters));
      out += ':';
      append_shown(out, member);
    }
    out += '}';
  } else if (const double* d = value.as_double(); d != nullptr && !std::isfinite(*d)) {
    // JSON has no word for these.
    out += std::isnan(*d) ? "NaN" : *d < 0 ? "-infinity" : "infinity";
  } else if (const RawJson* raw = value.as_raw()) {
    out += std::string_view(raw->text).substr(0, kShownCharacters * 4);
  } else {
    append_json(out, value);
  }
}

// A text that two values share exactly when they are equal as JSON.
void append_key(std::string& out, const Value& value) {
  const auto text = [&](std::string_view s) {
    out += '"';
    out += std::to_string(s.size());
    out += ':';
    out += s;
  };
  switch (value.kind()) {
    case Value::Kind::kNull: out += 'n'; return;
    case Value::Kind::kBool: out += *value.as_bool() ? 't' : 'f'; return;
    case Value::Kind::kDouble:
      if (!std::isfinite(*value.as_double())) {
        out += 'n';  // as JSON has it
        return;
      }
      [[fallthrough]];
    case Value::Kind::kInt:
    case Value::Kind::kNumber: {
      const Decimal number = decimal_of(value);
      out += number.negative ? '-' : '+';
      out += number.digits;
      out += 'e';
      out += std::to_string(number.exponent);
      return;
    }
    case Value::Kind::kString: text(*value.as_string()); return;
    case Value::Kind::kDate:
    case Value::Kind::kTime:
    case Value::Kind::kTimestamp:
    case Value::Kind::kBytes:
    case Value::Kind::kInterval:
    case Value::Kind::kUuid: text(to_plain_text(value)); return;
    case Value::Kind::kArray:
      out += '[';
      for (const Value& item : *value.as_array()) append_key(out, item);
      out += ']';
      return;
    case Value::Kind::kObject: {
      std::vector<const Object::Member*> members;
      for (const auto& member : *value.as_object()) members.push_back(&member);
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
      out += '{';
      for (const auto* member : members) {
        text(member->first);
        append_key(out, member->second);
      }
      out += '}';
      return;
    }
    case Value::Kind::kRaw:
      if (const auto parsed = parse_json(value.as_raw()->text, {.max_depth = 1000})) {
        append_key(out, *parsed);
      } else {
        text(value.as_raw()->text);
      }
      return;
  }
}

std::string key_of(const Value& value) {
  std::string out;
  append_key(out, value);
  return out;
}

// The common case of uniqueItems, without a text for each item.
bool are_distinct_integers(const Array& items) {
  std::vector<std::int64_t> sorted;
  sorted.reserve(items.size());
  for (const Value& item : items) {
    if (!item.as_int()) return false;
    sorted.push_back(*item.as_int());
  }
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

}  // namespace

std::string Path::text() const {
  std::string out = parent != nullptr ? parent->text() : "";
  if (index >= 0) return out + "[" + std::to_string(index) + "]";
  if (name.empty() && parent == nullptr) return out;
  if (!is_plain_name(name)) {
    out += "[";
    append_json_string(out, name);
    return out + "]";
  }
  if (!out.empty()) out += '.';
  return out += name;
}

void Sink::add(const Path& path, std::string_view rule, std::string message) {
  if (full_) return;
  if (out_.size() == kMaxViolations) {
    full_ = true;
    out_.push_back(
        {"", "more",
         "and more: only the first " + std::to_string(kMaxViolations) + " problems are listed"});
    return;
  }
  out_.push_back({path.text(), std::string(rule), std::move(message)});
}

std::string show(const Value& value) {
  std::string out;
  append_shown(out, value);
  return shorten(out, kShownCharacters + 2);
}

std::string got(const Node& node, const Value& value) {
  return node.hidden ? "" : ", got " + show(value);
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& names) {
  // A single letter is as near to every other.
  if (word.size() < 2 || word.size() > 200) return "";
  const std::string text = suggest(word, names);
  return text.empty() ? text : " (" + text + ")";
}

bool json_equal(const Value& a, const Value& b) {
  if (a.kind() == b.kind()) {
    switch (a.kind()) {
      case Value::Kind::kNull: return true;
      case Value::Kind::kBool: return *a.as_bool() == *b.as_bool();
      case Value::Kind::kInt: return *a.as_int() == *b.as_int();
      case Value::Kind::kString: return *a.as_string() == *b.as_string();
      case Value::Kind::kDate: return *a.as_date() == *b.as_date();
      default: break;
    }
  }
  const auto is_text = [](const Value& v) {
    return v.is_string() || v.as_date() || v.as_time() || v.as_timestamp() || v.as_bytes();
  };
  if (!a.as_raw() && !b.as_raw()) {
    if (is_text(a) != is_text(b) || a.is_array() != b.is_array() ||
        a.is_object() != b.is_object()) {
      return false;
    }
  }
  return key_of(a) == key_of(b);
}

bool same_value(const Value& a, const Value& b) {
  const Timestamp* x = a.as_timestamp();
  const Timestamp* y = b.as_timestamp();
  if (x && y && x->has_zone && y->has_zone) return x->micros == y->micros;
  return json_equal(a, b);
}

int compare_to(const Value& number, const Bound& bound) {
  const auto order = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : 0; };
  if (const std::int64_t* i = number.as_int()) {
    if (const std::int64_t* limit = bound.value.as_int()) return order(*i, *limit);
    const double* limit = bound.value.as_double();
    if (limit && std::abs(*i / 2) <= kExactDouble / 2) {
      return order(static_cast<double>(*i), *limit);
    }
  } else if (const double* d = number.as_double()) {
    if (const double* limit = bound.value.as_double()) return order(*d, *limit);
    const std::int64_t* limit = bound.value.as_int();
    if (limit && std::abs(*limit / 2) <= kExactDouble / 2) {
      return order(*d, static_cast<double>(*limit));
    }
  }
  return compare(decimal_of(number), bound.exact);
}

void check_text(const Node& node, std::string_view text, const Value& shown, const Path& path,
                Sink& sink) {
  if (!node.has_rules) return;
  const TypeSpec& spec = *node.spec;
  if (spec.min_length || spec.max_length) {
    const std::size_t length = utf8_length(text);
    const auto found = [&] {
      if (node.hidden) return std::string();
      return ", got " + std::to_string(length) + (length == 0 ? "" : ": " + show(shown));
    };
    if (spec.min_length && length < *spec.min_length) {
      sink.add(path, "minLength",
               "must have at least " + plural(*spec.min_length, "character") + found());
    }
    if (spec.max_length && length > *spec.max_length) {
      sink.add(path, "maxLength",
               "must have at most " + plural(*spec.max_length, "character") + found());
    }
  }
  if (node.pattern &&
      !re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *node.pattern)) {
    sink.add(path, "pattern", "must match the pattern " + *spec.pattern + got(node, shown));
  }
}

void check_number(const Node& node, const Value& number, const Value& shown, const Path& path,
                  Sink& sink) {
  if (!node.has_rules) return;
  const auto bound = [&](const std::optional<Bound>& limit, std::string_view rule,
                         std::string_view words, auto fits) {
    if (!limit || fits(compare_to(number, *limit))) return;
    sink.add(path, rule,
             "must be " + std::string(words) + " " + to_json(limit->value) + got(node, shown));
  };
  bound(node.minimum, "minimum", "at least", [](int order) { return order >= 0; });
  bound(node.maximum, "maximum", "at most", [](int order) { return order <= 0; });
  bound(node.exclusive_minimum, "exclusiveMinimum", "greater than", [](int o) { return o > 0; });
  bound(node.exclusive_maximum, "exclusiveMaximum", "less than", [](int o) { return o < 0; });
  if (node.multiple_of && !is_multiple(decimal_of(number), *node.multiple_of)) {
    sink.add(path, "multipleOf",
             "must be a multiple of " + to_json(*node.spec->multiple_of) + got(node, shown));
  }
}

void check_items(const Node& node, const Array& items, const Path& path, Sink& sink) {
  if (!node.has_rules) return;
  const TypeSpec& spec = *node.spec;
  const std::string found = ", got " + std::to_string(items.size());
  if (spec.min_items && items.size() < *spec.min_items) {
    sink.add(path, "minItems", "must have at least " + plural(*spec.min_items, "item") + found);
  }
  if (spec.max_items && items.size() > *spec.max_items) {
    sink.add(path, "maxItems", "must have at most " + plural(*spec.max_items, "item") + found);
  }
  if (!spec.unique_items || items.size() < 2 || are_distinct_integers(items)) return;
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < items.size() && !sink.full(); ++i) {
    const auto [first, fresh] = seen.emplace(key_of(items[i]), i);
    if (fresh) continue;
    std::string message = "items must be unique, but [" + std::to_string(i) + "] repeats [" +
                          std::to_string(first->second) + "]";
    sink.add(path, "uniqueItems", message + got(node, items[i]));
  }
}

void add_wrong_kind(const Node& node, const Value& value, const Path& path, Sink& sink) {
  const std::string_view kind = name_of(node.kind);
  const bool vowel = std::string_view("aeiou").find(kind.front()) != std::string_view::npos;
  std::string message = vowel ? "expected an " : "expected a ";
  message += kind;
  if (node.kind == Kind::kBoolean) message += " (true or false)";
  sink.add(path, "type", message + got(node, value));
}

void add_wrong_format(const Node& node, const Value& value, Reason reason, const Path& path,
                      Sink& sink) {
  std::string message = "must be " + std::string(description_of(node.format)) + got(node, value);
  if (reason != kMalformed) message += " (" + std::string(reason) + ")";
  sink.add(path, "format", std::move(message));
}

void add_not_in_enum(const Node& node, const Value& value, const Path& path, Sink& sink) {
  if (node.hidden) {
    sink.add(path, "enum", "must be one of the allowed values");
    return;
  }
  std::string message = "must be one of ";
  std::vector<std::string_view> names;
  std::size_t shown = 0;
  for (const auto& choice : node.enum_values) {
    if (const std::string* name = choice.declared.as_string()) names.push_back(*name);
    if (shown == kShownChoices) continue;
    if (shown++ > 0) message += ", ";
    message += show(choice.declared);
  }
  if (node.enum_values.size() > shown) {
    message += " ... (" + plural(node.enum_values.size(), "value") + ")";
  }
  message += got(node, value);
  if (const std::string* word = value.as_string()) message += suggestion(*word, names);
  sink.add(path, "enum", std::move(message));
}

void add_missing(std::string_view name, const Path& path, Sink& sink) {
  sink.add(path, "required", "required property '" + std::string(name) + "' is missing");
}

void add_unexpected(const Node& node, const Object& object, const Path& path, Sink& sink) {
  for (const auto& [key, value] : object) {
    if (sink.full()) return;
    if (std::find(node.property_names.begin(), node.property_names.end(), key) !=
        node.property_names.end()) {
      continue;
    }
    std::string message = "unexpected property '" + shorten(key, kShownCharacters) + "'";
    const std::string hint = suggestion(key, node.property_names);
    if (!hint.empty()) {
      message += hint;
    } else if (!node.property_names.empty() && node.property_names.size() <= kShownChoices) {
      std::string_view separator = " (expected ";
      for (const std::string_view name : node.property_names) {
        message += std::exchange(separator, ", ");
        message += name;
      }
      message += ")";
    }
    sink.add(path, "additionalProperties", std::move(message));
  }
}

}  // namespace mxcp::types
