// The functions of CEL. Private to cel/.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "cel/datum.h"
#include "cel/node.h"

namespace mxcp::cel {

// How a function is called: f(x), x.f(), or both.
enum class Form { kGlobal, kMember, kEither };

struct Function {
  using Run = Datum (*)(std::span<const Datum> arguments, const Node& node, Budget& budget);
  std::string_view name;
  Form form;
  // With the receiver.
  std::size_t min_arguments, max_arguments;
  Run run;  // is never given a fault
  // What it certainly gives; kFault: it depends.
  Datum::Kind gives;
};

// nullptr when there is none.
const Function* find_function(std::string_view name);
std::vector<std::string_view> function_names();

// nullptr when RE2 does not take it; `why` then says it.
std::shared_ptr<const re2::RE2> compile_pattern(std::string_view pattern, std::string& why);

// "no matching overload": `what` has no meaning for these values.
Datum no_overload(std::string_view what, std::span<const Datum> arguments, std::size_t offset);

}  // namespace mxcp::cel
