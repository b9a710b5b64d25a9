// CEL, the Common Expression Language (github.com/google/cel-spec): the conditions of policies.
//
// A program is compiled once and then evaluated by any number of threads; it never changes.
//
//     Names names{.variables = {"n", "user"}};
//     auto made = Program::compile("n > 9 && user.role != 'admin'", names);
//     const Program* program = std::get_if<Program>(&made);      // or a Problem, with its offset
//     program->decide({&n, &user});                              // true, false, or a Problem
//
// Compiling finds what can be known without values: syntax, names and functions that do not exist,
// wrong numbers of arguments, broken patterns, and what can be no condition (user.role == 'a' ||
// 'admin'). Everything else is as the specification says: errors are values that && and ||
// absorb when the other side decides, integers overflow with an error, nothing but a bool is true,
// values of different types are unequal while numbers compare by their worth.
//
// What is there: all of the syntax but messages (`Type{...}`); has, all, exists, exists_one, map,
// filter; size, contains, startsWith, endsWith, matches (RE2); int, uint, double, string, bytes,
// bool, type, dyn, timestamp, duration and the getters of those. Zones of getters are UTC or an
// offset, no names.
//
// Both are bounded, whoever wrote the text: its length, the depth of its nesting, and the steps of
// one evaluation.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/value.h"

namespace mxcp::cel {

struct Node;

// What is wrong, and where in the text (in bytes). No message has values of the data in it.
struct Problem {
  std::size_t offset = 0;
  std::string message;
  std::string hint = {};
};

// What a condition may name.
struct Names {
  std::vector<std::string> variables;
  // What to say to a name that is none of them but likely to be tried.
  std::vector<std::pair<std::string, std::string>> advice = {};
};

struct Limits {
  std::size_t max_bytes = 16 << 10;
  std::uint64_t max_steps = 4'000'000;  // some tenths of a second
};

class Program {
 public:
  // A condition: it gives true or false. What certainly gives something else does not compile.
  static std::variant<Program, Problem> compile(std::string_view condition, const Names& names,
                                                const Limits& limits = {});
  // Any expression.
  static std::variant<Program, Problem> compile_expression(std::string_view text,
                                                           const Names& names,
                                                           const Limits& limits = {});

  // One value per variable, in the order of their names; nullptr: not known, which is an error
  // where it is used.
  using Values = std::span<const Value* const>;
  std::variant<bool, Problem> decide(Values values) const;
  // The value as JSON; uint, timestamps, durations and types in the words of string() and type().
  std::variant<Value, Problem> evaluate(Values values) const;

 private:
  Program(std::shared_ptr<const Node> root, Limits limits)
      : root_(std::move(root)), limits_(limits) {}

  std::shared_ptr<const Node> root_;
  Limits limits_;
};

}  // namespace mxcp::cel
