// Random types and random values, from a fixed seed: what holds for all of them.
#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "schema_checker.h"
#include "spec_builder.h"
#include "types/shape.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  bool chance(int percent) { return below(100) < percent; }
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint32_t>(n)); }

  template <class T, std::size_t N>
  const T& pick(const T (&choices)[N]) {
    return choices[below(static_cast<int>(N))];
  }

  TypeSpec spec(int depth) {
    TypeSpec out;
    out.kind = static_cast<Kind>(below(depth > 0 ? 6 : 4));
    switch (out.kind) {
      case Kind::kString:
        if (chance(40)) {
          out.format = static_cast<Format>(1 + below(7));
          break;  // the text of a date changes on the way in, so no rule looks at it
        }
        if (chance(20)) out.min_length = static_cast<std::uint64_t>(below(3));
        if (chance(20)) out.max_length = static_cast<std::uint64_t>(3 + below(30));
        if (chance(20)) {
          static constexpr const char* kPatterns[] = {"a", "^.*$", "\\d", "^[\\w-.]*$", "\\S"};
          out.pattern = pick(kPatterns);
        }
        break;
      case Kind::kNumber:
      case Kind::kInteger:
        if (chance(25)) out.minimum = Value(below(5) - 3);
        if (chance(25)) out.maximum = Value(5 + below(100));
        if (chance(15)) out.exclusive_minimum = Value(-4.5);
        if (chance(15)) out.exclusive_maximum = Value(ExactNumber{"18446744073709551616"});
        if (chance(20)) out.multiple_of = chance(50) ? Value(0.1) : Value(2);
        break;
      case Kind::kBoolean: break;
      case Kind::kArray:
        if (chance(80)) out.items = std::make_shared<const TypeSpec>(spec(depth - 1));
        if (chance(20)) out.min_items = 1;
        if (chance(20)) out.max_items = 3;
        if (chance(20)) out.unique_items = true;
        break;
      case Kind::kObject:
        for (const char* name : {"a", "b", "some name"}) {
          if (chance(60)) out.properties.emplace_back(name, spec(depth - 1));
        }
        for (const auto& [name, type] : out.properties) {
          if (chance(30)) out.required.push_back(name);
        }
        out.additional_properties = chance(70);
        break;
    }
    if (chance(10)) out.enum_values = std::vector<Value>{value(out, 2), value(out, 2), Value()};
    if (chance(10)) out.default_value = value(out, 2);
    return out;
  }

  // A value that mostly fits.
  Value value(const TypeSpec& spec, int depth) {
    if (chance(5)) return nullptr;
    if (chance(10)) return anything(depth);
    switch (spec.kind) {
      case Kind::kString: return string(spec.format);
      case Kind::kNumber: return number();
      case Kind::kInteger: return chance(80) ? Value(below(20) - 5) : number();
      case Kind::kBoolean: return chance(50);
      case Kind::kArray: {
        Array out;
        for (int n = below(4); n > 0; --n) {
          out.push_back(spec.items ? value(*spec.items, depth - 1) : anything(depth - 1));
        }
        return out;
      }
      case Kind::kObject: {
        Object out;
        for (const auto& [name, type] : spec.properties) {
          if (chance(85)) out.add(name, value(type, depth - 1));
        }
        if (chance(15)) out.add("extra", anything(depth - 1));
        return out;
      }
    }
    return nullptr;
  }

  // Any value at all, also those that only SQL has.
  Value anything(int depth) {
    switch (below(depth > 0 ? 14 : 12)) {
      case 0: return nullptr;
      case 1: return chance(50);
      case 2: return below(100) - 50;
      case 3: return number();
      case 4: return string(Format::kNone);
      case 5: return string(static_cast<Format>(1 + below(7)));
      case 6: return Date{below(4000000) - 2000000};
      case 7: return Time{below(86400) * 1000000LL + below(1000000), chance(30), 3600};
      case 8: return Timestamp{below(2000000000) * 1000003LL, chance(50), 7200};
      case 9: return Bytes{std::string(static_cast<std::size_t>(below(5)), '\xFE')};
      case 10: return RawJson{"[1,{\"a\":null}]"};
      case 11: return std::numeric_limits<double>::quiet_NaN();
      case 12: {
        Array out;
        for (int n = below(4); n > 0; --n) out.push_back(anything(depth - 1));
        return out;
      }
      default: {
        Object out;
        for (const char* name : {"a", "b", "c"}) {
          if (chance(50)) out.add(name, anything(depth - 1));
        }
        return out;
      }
    }
  }

 private:
  Value number() {
    switch (below(8)) {
      case 0: return below(10);
      case 1: return below(1000) / 10.0;
      case 2: return std::int64_t{9007199254740993} + below(10);
      case 3: return ExactNumber{"1234567890123456789012.50"};
      case 4: return ExactNumber{"18446744073709551616"};
      case 5: return ExactNumber{"4.00000000000000000000"};
      case 6: return static_cast<double>(below(50));
      default: return -1e300;
    }
  }

  Value string(Format format) {
    static constexpr const char* kAny[] = {"",     "a",     "abc 1", "5",     "5.0", "true",
                                           "[1]",  "{}",    "x\ny",  "grüße", "1e3", "no",
                                           "-_.a", "\xFFz", "🦆",  "null"};
    switch (chance(90) ? format : Format::kNone) {
      case Format::kNone: return pick(kAny);
      case Format::kEmail: return chance(50) ? "a@b.org" : "jörg@x.example";
      case Format::kUri: return chance(50) ? "https://a.org/ä" : "urn:x:y";
      case Format::kDate: return chance(50) ? Value("2024-02-29") : Value(Date{19000});
      case Format::kTime: return chance(50) ? Value("13:45") : Value(Time{5, false, 0});
      case Format::kDateTime:
        return chance(50) ? Value("2024-01-31T13:45:00+02:00") : Value(Timestamp{5, true, 3600});
      case Format::kDuration: return chance(50) ? "P1DT2.5H" : "P2W";
      case Format::kTimestamp: return chance(50) ? "1706705100.25" : "2024-01-31T00:00Z";
    }
    return nullptr;
  }

  std::mt19937 random_;
};

// As deep as ==, but an integer is not a double, and two instants are equal only in one zone.
bool identical(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (const Array* x = a.as_array()) {
    const Array* y = b.as_array();
    if (x->size() != y->size()) return false;
    for (std::size_t i = 0; i < x->size(); ++i) {
      if (!identical((*x)[i], (*y)[i])) return false;
    }
    return true;
  }
  if (a.is_object()) {
    auto y = b.as_object()->begin();
    if (a.as_object()->size() != b.as_object()->size()) return false;
    for (const auto& [key, member] : *a.as_object()) {
      if (key != y->first || !identical(member, y->second)) return false;
      ++y;
    }
    return true;
  }
  return to_json(a) == to_json(b);
}

}  // namespace

TEST_CASE("random types: coercion is stable and its results are valid JSON") {
  Generator random(20240131);
  int sound = 0;
  int accepted = 0;
  for (int i = 0; i < 4000; ++i) {
    const TypeSpec spec = random.spec(3);
    const auto type = Type::compile(spec);
    CHECK(Type::problems(spec).empty() == type.ok());
    if (!type.ok()) continue;
    ++sound;
    REQUIRE(parse_json(to_json(type->json_schema())).ok());
    for (int k = 0; k < 8; ++k) {
      const Value input = random.chance(80) ? random.value(spec, 3) : random.anything(3);
      const Source source = random.chance(50) ? Source::kText : Source::kJson;
      const Checked once = type->coerce(input, source, "x");
      CAPTURE(to_json(type->json_schema()));
      CAPTURE(to_json(input));
      CAPTURE(to_text(once.violations));
      if (!once.ok()) {
        for (const Violation& v : once.violations) REQUIRE(v.path.starts_with("x"));
        continue;
      }
      ++accepted;
      REQUIRE(parse_json(to_json(once.value)).ok());
      const Checked twice = type->coerce(once.value, source, "x");
      CAPTURE(to_json(once.value));
      CAPTURE(to_text(twice.violations));
      REQUIRE(twice.ok());
      REQUIRE(identical(once.value, twice.value));
    }
  }
  // The test tests something.
  CHECK(sound > 2000);
  CHECK(accepted > 5000);
}

TEST_CASE("random types: what passes check() satisfies the output schema") {
  Generator random(7);
  int accepted = 0;
  for (int i = 0; i < 6000; ++i) {
    const TypeSpec spec = random.spec(3);
    const auto type = Type::compile(spec);
    if (!type.ok()) continue;
    const Value schema = json(to_json(output_schema(*type)));
    for (int k = 0; k < 8; ++k) {
      const Value result = random.chance(85) ? random.value(spec, 3) : random.anything(3);
      if (!type->check(result).empty()) continue;
      const std::string text =
          is_wrapped(*type) ? "{\"result\":" + to_json(result) + "}" : to_json(result);
      const Value sent = json(text);
      if (sent.is_null()) continue;  // see output_schema()
      ++accepted;
      CAPTURE(to_json(schema));
      CAPTURE(text);
      REQUIRE(refused_by(schema, sent) == "");
    }
  }
  CHECK(accepted > 5000);
}

TEST_CASE("random types: the checker does refuse") {
  // Guards the test above: a schema that accepts everything would pass it.
  Generator random(11);
  int refused = 0;
  int both = 0;
  for (int i = 0; i < 3000; ++i) {
    const TypeSpec spec = random.spec(2);
    const auto type = Type::compile(spec);
    if (!type.ok() || !is_wrapped(*type)) continue;
    const Value schema = json(to_json(output_schema(*type)));
    const Value result = random.anything(2);
    if (type->check(result).empty()) continue;
    ++refused;
    both += refused_by(schema, json("{\"result\":" + to_json(result) + "}")).empty() ? 0 : 1;
  }
  CHECK(refused > 1000);
  CHECK(both > refused * 8 / 10);
}
