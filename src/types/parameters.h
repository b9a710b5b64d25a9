// ParameterSet: the compiled parameters of one endpoint.
#pragma once

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

  // Defaults, missing and unknown names (with a suggestion), and each argument's type. One error
  // (kInvalidArgs) lists every violation, one per line:
  //
  //     required parameter 'name' is missing
  //     parameter 'user_ids[2]': expected an integer, got "x"
  //     unknown parameter 'nme' (did you mean 'name'?)
  //
  // An endpoint without parameters refuses every argument.
  Result<Arguments> bind(const Object& given, Source source) const;

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

 private:
  std::string unknown(std::string_view name) const;

  std::vector<Entry> entries_;
};

}  // namespace mxcp::types
