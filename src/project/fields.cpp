#include "project/fields.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "base/files.h"
#include "base/text.h"

namespace mxcp::project {
namespace {

std::vector<Error> sorted(std::vector<Error> errors) {
  std::stable_sort(errors.begin(), errors.end(),
                   [](const Error& a, const Error& b) { return a.place < b.place; });
  return errors;
}

std::string in_quotes(std::string_view name) {
  return "'" + shorten(name, 60) + "'";
}

constexpr std::string_view kAnyKey = "the keys here are ";

bool has_reference(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kScalar && node.scalar.find("${") != std::string::npos;
}

// YAML 1.1 read these as booleans; their authors still mean it.
std::optional<bool> old_boolean(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return {};
  const std::string word = to_lower(node.scalar);
  if (word == "yes" || word == "on" || word == "y" || word == "true" || word == "1") return true;
  if (word == "no" || word == "off" || word == "n" || word == "false" || word == "0") return false;
  return {};
}

}  // namespace

void Problems::error(Place place, std::string message, std::string hint, std::string_view rule) {
  Error error{Code::kConfig, std::move(message), std::move(place), std::move(hint)};
  error.rule = rule.empty() ? rule_ : rule;
  errors_.push_back(std::move(error));
}

void Problems::warning(Place place, std::string message, std::string hint) {
  Error warning{Code::kConfig, std::move(message), std::move(place), std::move(hint)};
  warnings_.push_back(std::move(warning).as(rule_));
}

std::vector<Error> Problems::take_errors() {
  return sorted(std::exchange(errors_, {}));
}
std::vector<Error> Problems::take_warnings() {
  return sorted(std::exchange(warnings_, {}));
}

bool is_text(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return false;
  if (!node.plain || node.scalar.empty()) return true;
  constexpr std::string_view kOther = "+-.0123456789tTfFnN~";
  if (kOther.find(node.scalar.front()) == std::string_view::npos) return true;
  return node.to_value().is_string();
}

bool is_identifier(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string enumerate(const Keys& names, std::string_view last_word) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 < names.size() ? ", " : " " + std::string(last_word) + " ";
    out += "'" + std::string(names[i]) + "'";
  }
  return out;
}

std::string quote_hint(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return "";
  return "put it in quotes: \"" + shorten(node.scalar, 60) + "\"";
}

const Advice Fields::kNoAdvice;

Fields::Fields(Problems& problems, const YamlNode& node, std::string what, Place owner,
               const Keys& keys, const Advice& advice)
    : problems_(problems), node_(node), what_(std::move(what)), owner_(std::move(owner)) {
  if (node.kind != YamlNode::Kind::kMapping) {
    problems_.error(problems_.place(node),
                    what_ + " must be a mapping of keys to values, found " + node.describe(),
                    "the keys are " + enumerate(keys), rules::kWrongValue);
    return;
  }
  report_unknown_keys(keys, advice);
}

void Fields::report_unknown_keys(const Keys& keys, const Advice& advice) {
  for (const auto& member : node_.members) {
    if (std::find(keys.begin(), keys.end(), member.key) != keys.end()) continue;
    std::string hint;
    const auto known = std::find_if(advice.begin(), advice.end(),
                                    [&](const auto& entry) { return entry.first == member.key; });
    if (known != advice.end()) {
      hint = known->second;
    } else {
      // A key that is there already is hardly what was meant.
      Keys free;
      for (const auto key : keys) {
        if (!has(key)) free.push_back(key);
      }
      hint = suggest(member.key, free);
      if (hint.empty()) hint = suggest(member.key, keys);
      if (hint.empty()) hint = std::string(kAnyKey) + enumerate(keys);
    }
    suggested_.push_back(hint);
    problems_.error(problems_.place(member),
                    "unknown key " + in_quotes(member.key) + " in " + what_, std::move(hint),
                    rules::kUnknownKey);
  }
}

const YamlNode* Fields::find(std::string_view key) const {
  const YamlNode* node = node_.find(key);
  return node && node->kind != YamlNode::Kind::kNull ? node : nullptr;
}

Place Fields::place_of(std::string_view key) const {
  const YamlNode* node = node_.find(key);
  return node ? problems_.place(*node) : owner_;
}

Place Fields::key_place(std::string_view key) const {
  const YamlNode::Member* member = node_.find_member(key);
  return member ? problems_.place(*member) : owner_;
}

bool Fields::has_stray_key() const {
  return std::any_of(suggested_.begin(), suggested_.end(),
                     [](const std::string& said) { return said.starts_with(kAnyKey); });
}

bool Fields::was_suggested(std::string_view key) const {
  const std::string name = "'" + std::string(key);
  for (const std::string& said : suggested_) {
    if (said.find(name + "'?") != std::string::npos ||
        said.find(name + ":'") != std::string::npos) {
      return true;
    }
  }
  return false;
}

void Fields::missing(std::string_view key, std::string_view hint) {
  if (!is_mapping()) return;
  if (was_suggested(key)) return;
  const bool empty = has(key);
  problems_.error(empty ? key_place(key) : owner_,
                  empty ? "'" + std::string(key) + "' has no value"
                        : "'" + std::string(key) + "' is missing in " + what_,
                  std::string(hint), rules::kMissingKey);
}

void Fields::wrong(std::string_view key, std::string_view expected, std::string hint) {
  const YamlNode* node = node_.find(key);
  problems_.error(place_of(key),
                  "'" + std::string(key) + "' must be " + std::string(expected) + ", found " +
                      (node ? node->describe() : "nothing"),
                  std::move(hint), rules::kWrongValue);
}

std::optional<std::string> Fields::text(std::string_view key) {
  const YamlNode* node = find(key);
  if (!node) return {};
  if (is_text(*node)) return node->scalar;
  wrong(key, "a string", quote_hint(*node));
  return {};
}

std::string Fields::required_text(std::string_view key, std::string_view hint) {
  const YamlNode* node = find(key);
  if (!node) {
    missing(key, hint);
    return "";
  }
  auto value = text(key);
  if (!value) return "";
  if (trim(*value).empty()) {
    problems_.error(place_of(key), "'" + std::string(key) + "' is empty", std::string(hint),
                    rules::kMissingKey);
    return "";
  }
  return *std::move(value);
}

std::optional<bool> Fields::boolean(std::string_view key) {
  const YamlNode* node = find(key);
  if (!node) return {};
  if (node->kind == YamlNode::Kind::kScalar) {
    const Value value = node->to_value();
    if (const bool* b = value.as_bool()) return *b;
    if (lenient_ && has_reference(*node)) return {};
    const auto meant = old_boolean(*node);
    if (lenient_ && meant && !node->plain) return meant;
    if (meant) {
      const std::string word = *meant ? "true" : "false";
      const bool yes_or_no = node->plain && is_text(*node);
      wrong(key, "true or false",
            "write " + word +
                (yes_or_no ? "; yes, no, on and off are plain words in YAML 1.2"
                           : " without quotes"));
      return {};
    }
  }
  wrong(key, "true or false");
  return {};
}

std::optional<std::int64_t> Fields::integer(std::string_view key, std::int64_t min,
                                            std::int64_t max) {
  const YamlNode* node = find(key);
  if (!node) return {};
  const bool scalar = node->kind == YamlNode::Kind::kScalar;
  Value value = scalar ? node->to_value() : Value();
  if (lenient_ && scalar && value.is_string()) {
    if (has_reference(*node)) return {};
    const std::string_view digits = trim(node->scalar);
    std::int64_t i = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), i);
    if (failure == std::errc{} && end == digits.data() + digits.size()) value = i;
  }
  const std::int64_t* i = value.as_int();
  if (!i) {
    std::string hint;
    if (scalar && !node->plain) {
      YamlNode unquoted = *node;
      unquoted.plain = true;
      if (unquoted.to_value().as_int()) hint = "remove the quotes";
    }
    wrong(key, "a whole number", std::move(hint));
    return {};
  }
  if (*i < min || *i > max) {
    const bool bounded = max != std::numeric_limits<std::int64_t>::max();
    wrong(key, bounded ? "a number from " + std::to_string(min) + " to " + std::to_string(max)
                       : "at least " + std::to_string(min));
    return {};
  }
  return *i;
}

std::optional<std::size_t> Fields::choice(std::string_view key, const Keys& names) {
  const YamlNode* node = find(key);
  if (!node) return {};
  if (node->kind == YamlNode::Kind::kScalar) {
    const auto at = std::find(names.begin(), names.end(), node->scalar);
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
    if (lenient_ && has_reference(*node)) return {};
    wrong(key, (names.size() == 2 ? "" : "one of ") + enumerate(names, "or"),
          suggest(node->scalar, names));
  } else {
    wrong(key, (names.size() == 2 ? "" : "one of ") + enumerate(names, "or"));
  }
  return {};
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view key, bool wrap) {
  const YamlNode* node = find(key);
  if (!node) return {};
  if (wrap && is_text(*node)) return std::vector<std::string>{node->scalar};
  if (node->kind != YamlNode::Kind::kSequence) {
    std::string hint;
    if (is_text(*node)) hint = "write [" + shorten(node->scalar, 40) + "]";
    wrong(key, "a list of strings", std::move(hint));
    return {};
  }
  std::vector<std::string> out;
  for (const YamlNode& item : node->items) {
    if (is_text(item)) {
      out.push_back(item.scalar);
    } else {
      problems_.error(
          problems_.place(item),
          "every item of '" + std::string(key) + "' must be a string, found " + item.describe(),
          quote_hint(item), rules::kWrongValue);
    }
  }
  return out;
}

const YamlNode* Fields::list(std::string_view key, std::string_view hint) {
  const YamlNode* node = find(key);
  if (!node || node->kind == YamlNode::Kind::kSequence) return node;
  wrong(key, "a list", std::string(hint));
  return nullptr;
}

const YamlNode* Fields::mapping(std::string_view key, std::string_view hint) {
  const YamlNode* node = find(key);
  if (!node || node->kind == YamlNode::Kind::kMapping) return node;
  wrong(key, "a mapping of keys to values", std::string(hint));
  return nullptr;
}

}  // namespace mxcp::project
