// ParameterSet: the compiled parameters of one endpoint.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "types/type.h"

namespace mxcp::types {

// Arguments after coercion, in declaration order; exactly the declared names.
using Arguments = std::vector<std::pair<std::string, Value>>;

class ParameterSet {
 public:
  // Every problem of the types, in declaration order; compile() returns the first of them. Names
  // are not looked at: whoever reads them knows where they stand.
  static std::vector<Error> problems(const std::vector<ParameterSpec>& specs);
  static Result<ParameterSet> compile(std::vector<ParameterSpec> specs);
  // Those of a JSON Schema that the author wrote: its properties. bind() then checks no more than
  // that numbers are finite, and converts nothing but texts of the command line; whoever calls
  // checks the arguments against the schema, and completes them by with_defaults().
  static ParameterSet of_schema(Value schema);

  // Defaults, missing and unknown names (with a suggestion), and each argument's type. One error
  // (kInvalidArgs) lists every violation, one per line:
  //
  //     required parameter 'name' is missing
  //     parameter 'user_ids[2]': expected an integer, got "x"
  //     unknown parameter 'nme' (did you mean 'name'?)
  //
  // An endpoint without parameters refuses every argument.
  Result<Arguments> bind(const Object& given, Source source) const;

  // A property that is missing has its default, or is null.
  Arguments with_defaults(Arguments given) const;

  // The arguments that bind() gave with every declared property of an object, at any depth: null
  // where it is missing. For SQL, where $o.a must be there. Nothing when none is missing.
  std::optional<Arguments> with_properties(const Arguments& bound) const;

  bool empty() const { return entries_.empty(); }
  struct Entry {
    std::string name;
    Type type;
    bool optional() const { return type.spec().default_value.has_value(); }
  };
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(std::string_view name) const;

  // {"type":"object","properties":{...},"required":[...],"additionalProperties":false}
  Value json_schema() const;
  // The author's own, as JSON text; null when there is none.
  const std::shared_ptr<const std::string>& own_schema() const { return own_schema_text_; }

 private:
  std::string unknown(std::string_view name) const;
  Result<Arguments> bind_to_schema(const Object& given, Source source) const;

  std::vector<Entry> entries_;
  bool has_properties_ = false;  // an object with declared properties is among the types
  std::shared_ptr<const Value> own_schema_;
  std::shared_ptr<const std::string> own_schema_text_;
};

}  // namespace mxcp::types
