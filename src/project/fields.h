// Reading one YAML file strictly, with every problem collected; private to project/.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/rules.h"
#include "base/yaml.h"

namespace mxcp::project {

// The problems of one file.
class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  Place place(int line, int column) const { return {file_, line, column}; }
  Place place(const YamlNode& node) const { return place(node.line, node.column); }
  Place place(const YamlNode::Member& member) const { return place(member.line, member.column); }
  Place start() const { return {file_}; }

  // Of the rule that is current, see Rule, or of the one that is named.
  void error(Place place, std::string message, std::string hint = {}, std::string_view rule = {});
  void warning(Place place, std::string message, std::string hint = {});
  void add(Error error) { errors_.push_back(std::move(error).as(rule_)); }

  // Until it ends, problems break this rule (base/rules.h) unless they name another.
  class Rule {
   public:
    Rule(Problems& problems, std::string_view rule)
        : problems_(problems), before_(std::exchange(problems.rule_, rule)) {}
    Rule(const Rule&) = delete;
    Rule& operator=(const Rule&) = delete;
    ~Rule() { problems_.rule_ = before_; }

   private:
    Problems& problems_;
    std::string_view before_;
  };

  bool has_errors() const { return !errors_.empty(); }
  std::size_t error_count() const { return errors_.size(); }
  // Sorted by place.
  std::vector<Error> take_errors();
  std::vector<Error> take_warnings();

 private:
  std::string file_;
  std::string_view rule_ = rules::kWrongValue;
  std::vector<Error> errors_;
  std::vector<Error> warnings_;
};

using Keys = std::vector<std::string_view>;
// What to say to a key that is unknown but a usual mistake: {"params", "did you mean ..."}.
using Advice = std::vector<std::pair<std::string_view, std::string_view>>;

// One mapping with a fixed set of keys. The constructor reports what is no mapping and every
// unknown key; each accessor reports a value of the wrong type and then acts as if the key were
// absent. A key without a value counts as absent.
//
//     static const Keys kKeys = {"prompt", "role", "type"};
//     Fields fields(problems, node, "a message", place, kKeys);
//     message.role = fields.text("role");
class Fields {
 public:
  // `what` completes "unknown key 'x' in ..."; `owner` is where a missing key is reported.
  // `keys` and `advice` must outlive this.
  Fields(Problems& problems, const YamlNode& node, std::string what, Place owner, const Keys& keys,
         const Advice& advice = kNoAdvice);

  // For configuration files, where a value may come out of ${NAME}: numbers and booleans are also
  // taken from text, and text with a reference that was left alone passes every check.
  Fields& lenient() {
    lenient_ = true;
    return *this;
  }

  bool is_mapping() const { return node_.kind == YamlNode::Kind::kMapping; }
  // nullptr when absent or without a value.
  const YamlNode* find(std::string_view key) const;
  bool has(std::string_view key) const { return node_.find_member(key) != nullptr; }
  // Of the key's value; of the owner when it is absent.
  Place place_of(std::string_view key) const;
  Place key_place(std::string_view key) const;
  const Place& owner() const { return owner_; }

  std::optional<std::string> text(std::string_view key);
  // Reports an absent or empty value; then "".
  std::string required_text(std::string_view key, std::string_view hint = {});
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min = 0,
                                      std::int64_t max = std::numeric_limits<std::int64_t>::max());
  // The index into `names`.
  std::optional<std::size_t> choice(std::string_view key, const Keys& names);
  // A list of strings; with `wrap` also one string alone.
  std::optional<std::vector<std::string>> texts(std::string_view key, bool wrap = false);
  const YamlNode* list(std::string_view key, std::string_view hint = {});
  const YamlNode* mapping(std::string_view key, std::string_view hint = {});

  // Whether an unknown key was taken for this one: then its absence needs no second complaint.
  bool was_suggested(std::string_view key) const;
  // Whether there is an unknown key of which it cannot be told what it was meant for.
  bool has_stray_key() const;
  void missing(std::string_view key, std::string_view hint = {});
  // "'key' must be <expected>, found <what it is>".
  void wrong(std::string_view key, std::string_view expected, std::string hint = {});

 private:
  static const Advice kNoAdvice;
  void report_unknown_keys(const Keys& keys, const Advice& advice);

  Problems& problems_;
  const YamlNode& node_;
  std::string what_;
  Place owner_;
  std::vector<std::string> suggested_;  // the hints given for unknown keys
  bool lenient_ = false;
};

// A scalar that is a string: quoted, or plain and nothing else by YAML's rules.
bool is_text(const YamlNode& node);
// Letters, digits and _, no digit first.
bool is_identifier(std::string_view name);
// "a, b and c".
std::string enumerate(const Keys& names, std::string_view last_word = "and");
// The hint for a scalar that stands where a string is needed: put it in quotes.
std::string quote_hint(const YamlNode& node);

}  // namespace mxcp::project
