#include "quality/assertions.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "quality/test_runner.h"

namespace mxcp::quality {
namespace {

constexpr std::size_t kShownCharacters = 400;

std::string shown(const Value& value) {
  return shorten(to_json(value), kShownCharacters);
}

// Python's repr() of a string: single quotes, or double ones when only those are free.
void append_python_string(std::string& out, std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  static constexpr char kHex[] = "0123456789abcdef";
  out += quote;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\\': out += "\\\\"; break;
      default:
        if (c == quote) {
          out += '\\';
          out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
          out += "\\x";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
        } else {
          out += c;
        }
    }
  }
  out += quote;
}

void append_python(std::string& out, const Value& value) {
  if (value.is_null()) {
    out += "None";
  } else if (const bool* b = value.as_bool()) {
    out += *b ? "True" : "False";
  } else if (const std::string* text = value.as_string()) {
    append_python_string(out, *text);
  } else if (const Array* array = value.as_array()) {
    out += '[';
    for (const Value& item : *array) {
      if (&item != &array->front()) out += ", ";
      append_python(out, item);
    }
    out += ']';
  } else if (const Object* object = value.as_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : *object) {
      if (!std::exchange(first, false)) out += ", ";
      append_python_string(out, key);
      out += ": ";
      append_python(out, item);
    }
    out += '}';
  } else {
    append_json(out, value);
  }
}

// All members of `wanted` are in `object`, with equal values.
bool has_members(const Object& object, const Object& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const Object::Member& member) {
    const Value* value = object.find(member.first);
    return value != nullptr && *value == member.second;
  });
}

// An equal item, or an object that holds all the given members.
bool has_item(const Array& list, const Value& wanted) {
  return std::any_of(list.begin(), list.end(), [&](const Value& item) {
    if (item == wanted) return true;
    return item.is_object() && wanted.is_object() &&
           has_members(*item.as_object(), *wanted.as_object());
  });
}

std::string expected_list(std::string_view assertion, const Value& actual) {
  return std::string(assertion) + ": expected a list, got " + std::string(actual.kind_name()) +
         ": " + shown(actual);
}

class Checker {
 public:
  explicit Checker(const Value& actual) : actual_(actual) {}

  void equals(const Value& expected) {
    if (actual_ == expected) return;
    fail("result: expected " + shown(expected) + ", got " + shown(actual_));
  }

  void contains(const Value& expected) {
    if (const Object* object = actual_.as_object()) {
      const Object* wanted = expected.as_object();
      if (wanted == nullptr) {
        return fail("result_contains: the result is an object, so expected keys and values, not " +
                    shown(expected));
      }
      for (const auto& [key, value] : *wanted) {
        const Value* found = object->find(key);
        if (found == nullptr) {
          fail("result_contains: the result has no key '" + key + "'; it has " + keys(*object));
        } else if (!(*found == value)) {
          fail("result_contains: '" + key + "': expected " + shown(value) + ", got " +
               shown(*found));
        }
      }
    } else if (const Array* list = actual_.as_array()) {
      if (!has_item(*list, expected)) {
        fail("result_contains: no item of the list matches " + shown(expected) + "; got " +
             shown(actual_));
      }
    } else {
      fail("result_contains: expected an object or a list, got " +
           std::string(actual_.kind_name()) + ": " + shown(actual_));
    }
  }

  void lacks(const std::vector<std::string>& names) {
    const Object* object = actual_.as_object();
    if (object == nullptr) {
      return fail("result_not_contains: expected an object, got " +
                  std::string(actual_.kind_name()) + ": " + shown(actual_));
    }
    for (const std::string& name : names) {
      if (object->contains(name)) {
        fail("result_not_contains: the result has the key '" + name + "'");
      }
    }
  }

  void contains_item(const Value& expected) {
    const Array* list = actual_.as_array();
    if (list == nullptr) return fail(expected_list("result_contains_item", actual_));
    if (has_item(*list, expected)) return;
    fail("result_contains_item: no item matches " + shown(expected) + "; got " + shown(actual_));
  }

  void contains_all(const std::vector<Value>& expected) {
    const Array* list = actual_.as_array();
    if (list == nullptr) return fail(expected_list("result_contains_all", actual_));
    for (const Value& item : expected) {
      if (!has_item(*list, item)) fail("result_contains_all: no item matches " + shown(item));
    }
  }

  void has_length(std::uint64_t expected) {
    const Array* list = actual_.as_array();
    if (list == nullptr) return fail(expected_list("result_length", actual_));
    if (list->size() == expected) return;
    fail("result_length: expected " + plural(expected, "item") + ", got " +
         std::to_string(list->size()));
  }

  void contains_text(const std::string& text) {
    for (const std::string& spelling : {to_python_text(actual_), to_json(actual_)}) {
      if (spelling.find(text) != std::string::npos) return;
    }
    if (to_pretty_json(actual_).find(text) != std::string::npos) return;
    fail("result_contains_text: '" + text + "' is not in " + shown(actual_));
  }

  std::string report() const { return join(failures_, "\n"); }

 private:
  void fail(std::string text) { failures_.push_back(std::move(text)); }

  static std::string keys(const Object& object) {
    std::vector<std::string> names;
    for (const auto& member : object) names.push_back("'" + member.first + "'");
    return names.empty() ? "none" : join(names, ", ");
  }

  const Value& actual_;
  std::vector<std::string> failures_;
};

}  // namespace

std::string to_python_text(const Value& value) {
  if (const std::string* text = value.as_string()) return *text;
  std::string out;
  append_python(out, value);
  return out;
}

std::string check_assertions(const project::TestCase& test, const Value& actual) {
  Checker checker(actual);
  if (test.result) checker.equals(*test.result);
  if (test.result_contains) checker.contains(*test.result_contains);
  if (test.result_not_contains) checker.lacks(*test.result_not_contains);
  if (test.result_contains_item) checker.contains_item(*test.result_contains_item);
  if (test.result_contains_all) checker.contains_all(*test.result_contains_all);
  if (test.result_length) checker.has_length(*test.result_length);
  if (test.result_contains_text) checker.contains_text(*test.result_contains_text);
  return checker.report();
}

}  // namespace mxcp::quality
