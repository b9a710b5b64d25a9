// Type: a TypeSpec compiled into one immutable tree that every caller uses.
//
// The same tree coerces arguments (from the command line, from JSON), checks results, and renders
// itself to JSON Schema 2020-12. Compiling finds every contradiction in the declaration; using the
// tree never fails for another reason than the data. Threads: all const, no locks. A Type is a
// handle, cheap to copy.
//
//     MXCP_TRY(Type type, Type::compile(spec));
//     Checked age = type.coerce(Value("41"), Source::kText);   // age.value == 41
//     for (const Violation& v : age.violations) ...            // "age: must be at least 0, got -3"
#pragma once

#include <memory>
#include <string>
#include <string_view>
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

// "user_ids[2]: expected an integer, got \"x\"", one per line. Values of types that are `sensitive`
// stand in no message. At most a hundred are listed; a last one says that there are more.
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

struct Node;  // the compiled tree, private to types/

class Type {
 public:
  // All problems of a declaration, each with its place: a keyword that does not apply to the kind,
  // a pattern that RE2 refuses, minimum > maximum, a default, enum or example that the type itself
  // refuses, required names that are not properties ... `parameter` is the parameter's name, which
  // then stands in the messages.
  static std::vector<Error> problems(const TypeSpec& spec, std::string_view parameter = {});
  // The first of them, or the compiled type.
  static Result<Type> compile(TypeSpec spec, std::string_view parameter = {});

  // Lossless conversion of an argument to the declared type, then every constraint, at any depth.
  // null is accepted for anything declared and skips the checks. All violations are listed, not
  // only the first. `path` names the argument. What is accepted besides the type itself:
  //
  //   string     a boolean or a number, as its JSON text. Text stays exactly what it is.
  //   number     the text of a number. Gives a double where the double's shortest text is that very
  //              number, else an integer or an ExactNumber.
  //   integer    5.0, "5", "5.0", "1e3": what is mathematically an integer. Past 64 bits it is an
  //              ExactNumber.
  //   boolean    true/false/1/0/yes/no in any case, the numbers 1 and 0.
  //   array, object   their JSON text.
  //   date, time, date-time   give Date, Time, Timestamp (with the zone the text has).
  //   timestamp  seconds since the epoch as a number or its text, or a date-time with a zone; gives
  //              a Timestamp in UTC, rounded to the microsecond.
  //
  // A number past the largest double (1.8e308) is refused, also where nothing is declared.
  // Numbers are compared and divided as decimals (a double as its shortest text), so 0.3 is a
  // multiple of 0.1. Objects come out with their properties in declared order, then what else was
  // given; a missing property with a default is filled in. enum is checked after the conversion.
  // The source changes no rule, only the words that explain it, and that text from the command line
  // must be UTF-8.
  Checked coerce(const Value& input, Source source, std::string_view path) const;

  // Checks a result; nothing is converted. null, and NaN and infinity that JSON writes as null, are
  // accepted at any level. Everything that is declared is checked.
  //
  //   string     text, and dates, times, timestamps and bytes, whose text in JSON must fit length,
  //              pattern and enum. `date` takes a Date, `time` a Time, `date-time` a Timestamp or
  //              a Date, `timestamp` a Timestamp, or text of that form; `duration` also negative
  //              ones, as SQL's intervals can be.
  //   number     any number, no boolean.
  //   integer    an integer, a decimal without a fraction, and a double without one up to 2^53:
  //              past that it no longer tells an integer from its neighbour.
  std::vector<Violation> check(const Value& result) const;

  // See unconstrained(const TypeSpec&): the bare kind is all that this level asks for, so a column
  // of that kind needs no check. What `items` and `properties` ask for is not looked at.
  bool unconstrained() const;

  // The declared default as coerce() gives it; nullptr when there is none.
  const Value* default_value() const;

  const TypeSpec& spec() const { return *spec_; }

  // JSON Schema 2020-12 of the declaration: the declared keywords, no $ref, no anyOf-null.
  // `timestamp` is no format of JSON Schema: it becomes a sentence in the description. A sensitive
  // type shows neither default nor examples.
  Value json_schema() const;
  // The same for results: see output_schema() in shape.h.
  Value output_json_schema(bool nullable) const;

 private:
  std::shared_ptr<const TypeSpec> spec_;
  std::shared_ptr<const Node> node_;
};

}  // namespace mxcp::types
