// Type: a TypeSpec compiled into one immutable tree that every caller uses.
//
// The same tree coerces arguments (from the command line, from JSON), checks results, and renders
// itself to JSON Schema 2020-12. Compiling finds every contradiction in the declaration; using the
// tree never fails for another reason than the data. Threads: all const, no locks.
//
//     MXCP_TRY(Type type, Type::compile(spec));
//     Checked age = type.coerce(Value("41"), Source::kText);   // age.value == 41
//     for (const Violation& v : age.violations) ...            // "age: must be at least 0, got -3"
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "types/type_spec.h"

namespace mxcp::types {

// One rule that a value breaks.
struct Violation {
  std::string path;     // "user_ids[2]", "filter.from"; "" for the value itself
  std::string rule;     // the keyword: "type", "minimum", "enum", "required", "format" ...
  std::string message;  // "must be at least 1, got 0"
};

// "user_ids[2]: expected an integer, got \"x\"", one per line.
std::string to_text(const std::vector<Violation>& violations);

struct Checked {
  Value value;
  std::vector<Violation> violations;
  bool ok() const { return violations.empty(); }
};

// Where an argument comes from: decides which conversions are offered.
enum class Source {
  kText,  // --param k=v and prompt arguments: everything is text
  kJson,  // tools/call arguments, tests, @file: JSON types, lossless conversions allowed
};

struct Node;  // the compiled tree, private to type.cpp

class Type {
 public:
  // All problems of a declaration (unknown pattern syntax, minimum > maximum, a default that its
  // own type refuses, required names that are not properties ...), each with its place.
  static std::vector<Error> problems(const TypeSpec& spec);
  // The first of them, or the compiled type.
  static Result<Type> compile(TypeSpec spec);

  // Lossless conversion of an argument to the declared type, then every constraint, at any depth;
  // defaults of nested properties are filled in. null is accepted for anything declared and skips
  // the checks. All violations are listed, not only the first. `path` names the argument.
  // Dates and times come out as Date, Time, Timestamp.
  Checked coerce(const Value& input, Source source, const std::string& path) const;

  // Checks a result; nothing is converted except what makes it fit JSON. null is accepted at any
  // level. Everything that is declared is checked.
  std::vector<Violation> check(const Value& result) const;

  // True when no constraint beyond the bare kind is declared at this level (no bounds, enum,
  // pattern, format ...): a column of that kind then needs no check. See engine/proof.
  bool unconstrained() const;

  const TypeSpec& spec() const { return *spec_; }

  // JSON Schema 2020-12 of the declaration: plain keywords, no $ref, no anyOf-null.
  Value json_schema() const;

 private:
  std::shared_ptr<const TypeSpec> spec_;
  std::shared_ptr<const Node> node_;
};

}  // namespace mxcp::types
