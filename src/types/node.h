// The compiled tree behind a Type, and what its walkers share. Private to types/.
//
//   compile.cpp  TypeSpec -> Node, with every problem of the declaration
//   rules.cpp    the constraints, equality, paths and messages
//   coerce.cpp   arguments; check.cpp results; schema.cpp JSON Schema
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "types/decimal.h"
#include "types/type.h"
#include "types/type_spec.h"

namespace re2 {
class RE2;
}

namespace mxcp::types {

// minimum, maximum ... with the forms that comparing needs.
struct Bound {
  Value value;
  Decimal exact;
};

struct Node {
  struct Property;
  struct EnumValue {
    Value coerced;   // as coerce() would give it: what an argument is compared with
    Value declared;  // as it stands in a schema and in a result
  };

  Node();
  ~Node();
  Node(Node&&) noexcept;

  const TypeSpec* spec = nullptr;  // within the tree that the Type keeps
  Kind kind = Kind::kString;
  Format format = Format::kNone;
  // Values of this type are not shown in messages: it is sensitive, or stands inside something
  // that is, or holds something that is.
  bool hidden = false;

  std::unique_ptr<re2::RE2> pattern;
  std::optional<Bound> minimum, maximum, exclusive_minimum, exclusive_maximum;
  std::optional<Divisor> multiple_of;
  // There is a rule about text (length, pattern), about numbers, or about item counts.
  bool has_rules = false;

  bool has_enum = false;
  bool enum_has_null = false;
  std::vector<EnumValue> enum_values;  // without null: null always passes
  std::optional<Value> default_value;  // coerced
  std::optional<Value> shown_default;  // as it stands in a schema
  std::vector<Value> shown_examples;

  std::unique_ptr<Node> items;
  std::vector<Property> properties;
  std::vector<std::string_view> required_undeclared;  // required, but no property is declared
  std::vector<std::string_view> property_names;       // for suggestions
};

struct Node::Property {
  std::string_view name;
  Node node;
  bool required = false;
};

// Where a walker is. Lives on the stack; becomes text only for a violation.
struct Path {
  const Path* parent = nullptr;
  std::string_view name = {};
  std::int64_t index = -1;

  std::string text() const;
};

// Collects violations, up to a bound.
class Sink {
 public:
  explicit Sink(std::vector<Violation>& out) : out_(out) {}
  void add(const Path& path, std::string_view rule, std::string message);
  // No more are taken: walkers stop.
  bool full() const { return full_; }
  std::size_t count() const { return out_.size(); }

 private:
  std::vector<Violation>& out_;
  bool full_ = false;
};

// The value as JSON, shortened: what stands after "got".
std::string show(const Value& value);
// ", got \"x\"", or "" when the type hides its values.
std::string got(const Node& node, const Value& value);
// " (did you mean 'x'?)", or "".
std::string suggestion(std::string_view word, const std::vector<std::string_view>& names);

// Equal as JSON texts, numbers by their exact value: 1 and 1.0, a date and its text.
bool json_equal(const Value& a, const Value& b);
// The same, but two instants in different zones are equal too.
bool same_value(const Value& a, const Value& b);

// Negative, zero or positive, exactly.
int compare_to(const Value& number, const Bound& bound);

// Length and pattern of `text`. `shown` is the value that a message names.
void check_text(const Node& node, std::string_view text, const Value& shown, const Path& path,
                Sink& sink);
// Bounds and multipleOf of `number`. `shown` likewise.
void check_number(const Node& node, const Value& number, const Value& shown, const Path& path,
                  Sink& sink);
// minItems, maxItems, uniqueItems.
void check_items(const Node& node, const Array& items, const Path& path, Sink& sink);

// The violations that several walkers report.
void add_wrong_kind(const Node& node, const Value& value, const Path& path, Sink& sink);
void add_wrong_format(const Node& node, const Value& value, std::string_view reason,
                      const Path& path, Sink& sink);
void add_not_in_enum(const Node& node, const Value& value, const Path& path, Sink& sink);
void add_missing(std::string_view name, const Path& path, Sink& sink);
void add_unexpected(const Node& node, const Object& object, const Path& path, Sink& sink);

void coerce_node(const Node& node, const Value& input, Source source, const Path& path, Sink& sink,
                 Value& out);
// Of a value that no type is declared for, below `node` or, when it is null, at all: anything may
// stand there, but no number that would be infinite.
void check_free(const Node* node, const Value& value, const Path& path, Sink& sink);
void check_node(const Node& node, const Value& value, const Path& path, Sink& sink);

// Compiles `spec`, which must outlive the node. Problems are appended; without any the node is
// usable.
// `parameter`: the name of the parameter, for their messages; "" for a return type.
Node compile_node(const TypeSpec& spec, std::string_view parameter, std::vector<Error>& problems);

// What a schema is for: the declaration as written, or what results look like on the wire (see
// output_schema()). `nullable`: whether this very level accepts null too; kOutput only.
enum class SchemaUse { kDeclaration, kOutput };
Value schema_of(const Node& node, SchemaUse use, bool nullable);

// The same pattern in a form that RE2, ECMA-262 and Python read alike; nothing when there is none.
std::optional<std::string> portable_pattern(std::string_view pattern);

}  // namespace mxcp::types
