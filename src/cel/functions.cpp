#include "cel/functions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <re2/re2.h>

#include "base/text.h"
#include "cel/instants.h"

namespace mxcp::cel {
namespace {

using Kind = Datum::Kind;
using Arguments = std::span<const Datum>;

constexpr std::size_t kAnyCount = 100;
// What compiling a pattern costs, beside its length.
constexpr std::uint64_t kPatternSteps = 500;

Datum fault(std::string message, const Node& node) {
  return Fault{std::move(message), node.offset};
}

Datum out_of_range(const Node& node) {
  return fault("the result of " + node.name + "() is out of range", node);
}

// "timestamp() cannot read its text": the text itself may be data that nobody shall see.
Datum unreadable(const Node& node) {
  return fault(node.name + "() cannot read the text", node);
}

Datum wrong(Arguments arguments, const Node& node) {
  return no_overload(node.name + "()", arguments, node.offset);
}

Datum whole(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

Datum size(Arguments a, const Node& node, Budget& budget) {
  if (const Text* text = a[0].as_text()) {
    budget.spend(text->view.size() / 16);
    return whole(utf8_length(text->view));
  }
  if (const ByteText* bytes = a[0].as_bytes()) return whole(bytes->text.view.size());
  if (const List* list = a[0].as_list()) return whole(list->size());
  if (const Map* map = a[0].as_map()) return whole(map->size());
  return wrong(a, node);
}

// Searching in a text costs at most the product of both lengths.
Datum contains(Arguments a, const Node& node, Budget& budget) {
  const Text* const text = a[0].as_text();
  const Text* const part = a[1].as_text();
  if (text == nullptr || part == nullptr) return wrong(a, node);
  budget.spend(text->view.size() * (1 + part->view.size() / 16) / 16);
  return text->view.find(part->view) != std::string_view::npos;
}

template <bool (std::string_view::*test)(std::string_view) const noexcept>
Datum affix(Arguments a, const Node& node, Budget& budget) {
  const Text* const text = a[0].as_text();
  const Text* const part = a[1].as_text();
  if (text == nullptr || part == nullptr) return wrong(a, node);
  budget.spend(part->view.size() / 64);
  return (text->view.*test)(part->view);
}

Datum matches(Arguments a, const Node& node, Budget& budget) {
  const Text* const text = a[0].as_text();
  const Text* const pattern = a[1].as_text();
  if (text == nullptr || pattern == nullptr) return wrong(a, node);
  std::shared_ptr<const re2::RE2> compiled = node.pattern;
  if (compiled == nullptr) {
    if (!budget.spend(kPatternSteps + pattern->view.size())) return {};
    std::string why;
    compiled = compile_pattern(pattern->view, why);
    if (compiled == nullptr) return fault("matches() is given no pattern of RE2", node);
  }
  budget.spend(text->view.size() / 4);
  return re2::RE2::PartialMatch(re2::StringPiece(text->view.data(), text->view.size()), *compiled);
}

// The whole text as a number.
template <class T>
std::optional<T> read_number(std::string_view text) {
  if (text.starts_with('+')) return {};
  T out{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return {};
  return out;
}

Datum to_int(Arguments a, const Node& node, Budget&) {
  const Datum& x = a[0];
  if (x.as_int()) return x;
  if (x.as_uint()) {
    const auto exact = exact_int(x);
    return exact ? Datum(*exact) : out_of_range(node);
  }
  if (const double* d = x.as_double()) {
    // The bounds themselves are not: as doubles they stand for their neighbours too.
    if (!(*d > -9223372036854775808.0 && *d < 9223372036854775808.0)) return out_of_range(node);
    return static_cast<std::int64_t>(*d);
  }
  if (const Moment* moment = x.as_moment()) return moment->seconds;
  if (const Text* text = x.as_text()) {
    const auto read = read_number<std::int64_t>(text->view);
    return read ? Datum(*read) : unreadable(node);
  }
  return wrong(a, node);
}

Datum to_uint(Arguments a, const Node& node, Budget&) {
  const Datum& x = a[0];
  if (x.as_uint()) return x;
  if (const auto* i = x.as_int()) {
    return *i < 0 ? out_of_range(node) : Datum(static_cast<std::uint64_t>(*i));
  }
  if (const double* d = x.as_double()) {
    if (!(*d >= 0 && *d < 18446744073709551616.0)) return out_of_range(node);
    return static_cast<std::uint64_t>(*d);
  }
  if (const Text* text = x.as_text()) {
    const auto read = read_number<std::uint64_t>(text->view);
    return read ? Datum(*read) : unreadable(node);
  }
  return wrong(a, node);
}

Datum to_double(Arguments a, const Node& node, Budget&) {
  const Datum& x = a[0];
  if (x.as_double()) return x;
  if (const auto* i = x.as_int()) return static_cast<double>(*i);
  if (const auto* u = x.as_uint()) return static_cast<double>(*u);
  if (const Text* text = x.as_text()) {
    const auto read = read_number<double>(text->view);
    return read ? Datum(*read) : unreadable(node);
  }
  return wrong(a, node);
}

Datum to_bool(Arguments a, const Node& node, Budget&) {
  if (a[0].as_bool()) return a[0];
  const Text* const text = a[0].as_text();
  if (text == nullptr) return wrong(a, node);
  for (const std::string_view word : {"1", "t", "true", "TRUE", "True"}) {
    if (text->view == word) return true;
  }
  for (const std::string_view word : {"0", "f", "false", "FALSE", "False"}) {
    if (text->view == word) return false;
  }
  return unreadable(node);
}

std::string text_of(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d).ptr;
  return {buffer.data(), end};
}

Datum to_string(Arguments a, const Node& node, Budget& budget) {
  const Datum& x = a[0];
  switch (x.kind()) {
    case Kind::kString: return x;
    case Kind::kBool: return Datum::text(*x.as_bool() ? "true" : "false");
    case Kind::kInt: return Datum::text(std::to_string(*x.as_int()));
    case Kind::kUint: return Datum::text(std::to_string(*x.as_uint()));
    case Kind::kDouble: return Datum::text(text_of(*x.as_double()));
    case Kind::kTimestamp: return Datum::text(to_text(*x.as_moment()));
    case Kind::kDuration: return Datum::text(to_text(*x.as_span()));
    case Kind::kBytes: {
      const Text& text = x.as_bytes()->text;
      budget.spend(text.view.size() / 16);
      return is_valid_utf8(text.view) ? Datum(text) : fault("the bytes are no UTF-8", node);
    }
    default: return wrong(a, node);
  }
}

Datum to_bytes(Arguments a, const Node& node, Budget&) {
  if (a[0].as_bytes()) return a[0];
  const Text* const text = a[0].as_text();
  return text ? Datum(ByteText{*text}) : wrong(a, node);
}

Datum to_timestamp(Arguments a, const Node& node, Budget&) {
  if (a[0].as_moment()) return a[0];
  if (const auto* seconds = a[0].as_int()) {
    const auto made = make_moment(*seconds, 0);
    return made ? Datum(*made) : out_of_range(node);
  }
  const Text* const text = a[0].as_text();
  if (text == nullptr) return wrong(a, node);
  const auto made = parse_moment(text->view);
  return made ? Datum(*made) : unreadable(node);
}

Datum to_duration(Arguments a, const Node& node, Budget&) {
  if (a[0].as_span()) return a[0];
  const Text* const text = a[0].as_text();
  if (text == nullptr) return wrong(a, node);
  const auto made = parse_span(text->view);
  return made ? Datum(*made) : unreadable(node);
}

Datum type_of(Arguments a, const Node&, Budget&) {
  return TypeName{type_name(a[0].kind())};
}

Datum dyn(Arguments a, const Node&, Budget&) {
  return a[0];
}

// The getters of a timestamp; `per` is what one of a duration counts, where it has it.
template <std::int64_t Calendar::*field, int shift, std::int64_t per>
Datum getter(Arguments a, const Node& node, Budget&) {
  if (const Span* span = a[0].as_span(); span && per != 0 && a.size() == 1) {
    // Milliseconds are those beside the whole seconds, the others are all there are.
    if constexpr (per == 1'000'000) return span->nanos % 1'000'000'000 / per;
    if constexpr (per != 0) return span->nanos / per;
  }
  const Moment* const moment = a[0].as_moment();
  if (moment == nullptr || (a.size() == 2 && a[1].as_text() == nullptr)) return wrong(a, node);
  std::int32_t offset = 0;
  if (a.size() == 2) {
    const auto zone = parse_zone(a[1].as_text()->view);
    if (!zone) return fault("a time zone is 'UTC' or an offset as '+02:00'", node);
    offset = *zone;
  }
  return calendar_of(*moment, offset).*field + shift;
}

constexpr std::int64_t kMilli = 1'000'000, kSecond = 1000 * kMilli;
using C = Calendar;

constexpr std::array<Function, 26> kFunctions = {{
    {"size", Form::kEither, 1, 1, size, Kind::kInt},
    {"contains", Form::kMember, 2, 2, contains, Kind::kBool},
    {"startsWith", Form::kMember, 2, 2, affix<&std::string_view::starts_with>, Kind::kBool},
    {"endsWith", Form::kMember, 2, 2, affix<&std::string_view::ends_with>, Kind::kBool},
    {"matches", Form::kEither, 2, 2, matches, Kind::kBool},
    {"int", Form::kGlobal, 1, 1, to_int, Kind::kInt},
    {"uint", Form::kGlobal, 1, 1, to_uint, Kind::kUint},
    {"double", Form::kGlobal, 1, 1, to_double, Kind::kDouble},
    {"bool", Form::kGlobal, 1, 1, to_bool, Kind::kBool},
    {"string", Form::kGlobal, 1, 1, to_string, Kind::kString},
    {"bytes", Form::kGlobal, 1, 1, to_bytes, Kind::kBytes},
    {"type", Form::kGlobal, 1, 1, type_of, Kind::kType},
    {"dyn", Form::kGlobal, 1, 1, dyn, Kind::kFault},
    {"timestamp", Form::kGlobal, 1, 1, to_timestamp, Kind::kTimestamp},
    {"duration", Form::kGlobal, 1, 1, to_duration, Kind::kDuration},
    {"getFullYear", Form::kMember, 1, 2, getter<&C::year, 0, 0>, Kind::kInt},
    {"getMonth", Form::kMember, 1, 2, getter<&C::month, -1, 0>, Kind::kInt},
    {"getDate", Form::kMember, 1, 2, getter<&C::day, 0, 0>, Kind::kInt},
    {"getDayOfMonth", Form::kMember, 1, 2, getter<&C::day, -1, 0>, Kind::kInt},
    {"getDayOfWeek", Form::kMember, 1, 2, getter<&C::day_of_week, 0, 0>, Kind::kInt},
    {"getDayOfYear", Form::kMember, 1, 2, getter<&C::day_of_year, 0, 0>, Kind::kInt},
    {"getHours", Form::kMember, 1, 2, getter<&C::hour, 0, 3600 * kSecond>, Kind::kInt},
    {"getMinutes", Form::kMember, 1, 2, getter<&C::minute, 0, 60 * kSecond>, Kind::kInt},
    {"getSeconds", Form::kMember, 1, 2, getter<&C::second, 0, kSecond>, Kind::kInt},
    {"getMilliseconds", Form::kMember, 1, 2, getter<&C::milli, 0, kMilli>, Kind::kInt},
    // Read as a macro before functions are looked at; here for suggestions.
    {"has", Form::kGlobal, kAnyCount, kAnyCount, nullptr, Kind::kBool},
}};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto* const found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                         [&](const Function& f) { return f.name == name; });
  return found == kFunctions.end() || found->run == nullptr ? nullptr : found;
}

std::vector<std::string_view> function_names() {
  std::vector<std::string_view> out;
  out.reserve(kFunctions.size());
  for (const Function& function : kFunctions) out.push_back(function.name);
  return out;
}

std::shared_ptr<const re2::RE2> compile_pattern(std::string_view pattern, std::string& why) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto compiled =
      std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (compiled->ok()) return compiled;
  why = compiled->error();
  return nullptr;
}

Datum no_overload(std::string_view what, std::span<const Datum> arguments, std::size_t offset) {
  std::string kinds;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) kinds += i + 1 == arguments.size() ? " and " : ", ";
    kinds += phrase(arguments[i].kind());
  }
  return Fault{std::string(what) + " has no meaning for " + kinds, offset};
}

}  // namespace mxcp::cel
