#include "cel/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "cel/functions.h"
#include "cel/instants.h"

namespace mxcp::cel {
namespace {

// What a Datum of memory costs, so that a condition cannot fill it.
constexpr std::uint64_t kElementSteps = 8;

Datum fault(std::string message, const Node& node) {
  return Fault{std::move(message), node.offset};
}

std::string quoted(std::string_view name) {
  return "'" + shorten(name, 60) + "'";
}

template <class T>
Datum checked(Op op, T a, T b, const Node& node) {
  T out{};
  switch (op) {
    case Op::kAdd:
      if (__builtin_add_overflow(a, b, &out)) break;
      return out;
    case Op::kSubtract:
      if (__builtin_sub_overflow(a, b, &out)) break;
      return out;
    case Op::kMultiply:
      if (__builtin_mul_overflow(a, b, &out)) break;
      return out;
    default: {
      if (b == 0) return fault("division by zero", node);
      if (std::is_signed_v<T> && a == std::numeric_limits<T>::min() && b == static_cast<T>(-1)) {
        break;
      }
      return op == Op::kDivide ? Datum(static_cast<T>(a / b)) : Datum(static_cast<T>(a % b));
    }
  }
  return fault("the result of '" + node.name + "' is out of range", node);
}

std::optional<Datum> doubles(Op op, double a, double b) {
  switch (op) {
    case Op::kAdd: return a + b;
    case Op::kSubtract: return a - b;
    case Op::kMultiply: return a * b;
    case Op::kDivide: return a / b;
    default: return {};
  }
}

template <class T>
Datum ranged(const std::optional<T>& made, const Node& node) {
  return made ? Datum(*made) : fault("the result of '" + node.name + "' is out of range", node);
}

// Timestamps and durations; nothing when they cannot be added or subtracted.
std::optional<Datum> times(const Datum& a, const Datum& b, const Node& node) {
  const bool subtract = node.op == Op::kSubtract;
  if (!subtract && node.op != Op::kAdd) return {};
  const Moment *const ma = a.as_moment(), *const mb = b.as_moment();
  const Span *const sa = a.as_span(), *const sb = b.as_span();
  if (ma && sb) return ranged(add(*ma, *sb, subtract), node);
  if (ma && mb && subtract) return ranged(difference(*ma, *mb), node);
  if (sa && mb && !subtract) return ranged(add(*mb, *sa, false), node);
  if (!sa || !sb) return {};
  const Datum nanos = checked(node.op, sa->nanos, sb->nanos, node);
  return nanos.as_int() ? Datum(Span{*nanos.as_int()}) : nanos;
}

}  // namespace

Datum Evaluator::run(const Node& root) {
  Datum result = eval(root);
  // What was computed without the rest is no answer, whatever it says.
  if (budget_.exhausted()) return Fault{"the condition takes too many steps", root.offset};
  return result;
}

Datum Evaluator::eval(const Node& node) {
  if (!budget_.spend(1)) return fault("the condition takes too many steps", node);
  switch (node.op) {
    case Op::kLiteral: return node.literal;
    case Op::kVariable: return variable(node);
    case Op::kLocal: return locals_[node.index];
    case Op::kSelect:
    case Op::kHas: return select(node);
    case Op::kIndex: return index(node);
    case Op::kList: return list(node);
    case Op::kMap: return map(node);
    case Op::kNot:
    case Op::kNegate: return negate(node);
    case Op::kAnd: return chain(node, false);
    case Op::kOr: return chain(node, true);
    case Op::kConditional: {
      Datum test = eval(*node.operands[0]);
      if (test.is_fault()) return test;
      if (!test.as_bool()) return no_overload("'?'", {&test, 1}, node.offset);
      return eval(*node.operands[*test.as_bool() ? 1 : 2]);
    }
    case Op::kEqual:
    case Op::kUnequal: return equality(node);
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual: return relation(node);
    case Op::kIn: return membership(node);
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kRemainder: return arithmetic(node);
    case Op::kCall: return call(node);
    case Op::kAll: return quantify(node, false);
    case Op::kExists: return quantify(node, true);
    case Op::kExistsOne: return exists_one(node);
    case Op::kTransform:
    case Op::kFilter: return transform(node);
  }
  return fault("unknown operation", node);
}

Datum Evaluator::variable(const Node& node) {
  const Value* const value = node.index < variables_.size() ? variables_[node.index] : nullptr;
  if (value == nullptr) return fault(quoted(node.name) + " is not known here", node);
  Datum out = Datum::of(*value);
  if (const Fault* unknown = out.as_fault()) return fault(unknown->message, node);
  return out;
}

Datum Evaluator::counted(Datum value) {
  const Text* const text = value.as_text();
  if (text != nullptr && text->owner != nullptr) budget_.spend(text->view.size() / 16);
  return value;
}

Datum Evaluator::select(const Node& node) {
  Datum object = eval(*node.operands[0]);
  if (object.is_fault()) return object;
  const Map* const map = object.as_map();
  if (map == nullptr) {
    return fault(std::string(phrase(object.kind())) + " has no member " + quoted(node.name), node);
  }
  auto found = map->find(node.name, budget_);
  if (node.op == Op::kHas) return found.has_value();
  return found ? counted(*std::move(found)) : fault("no such key: " + quoted(node.name), node);
}

Datum Evaluator::index(const Node& node) {
  Pair pair = both(node);
  if (const Datum* wrong = pair.fault()) return *wrong;
  const auto& [object, key] = pair.values;
  if (const List* items = object.as_list()) {
    if (!key.is_number()) return no_overload("'[]'", pair.values, node.offset);
    const auto at = exact_int(key);
    if (!at || *at < 0 || static_cast<std::uint64_t>(*at) >= items->size()) {
      return fault("the list has no such element", node);
    }
    return counted(items->at(static_cast<std::size_t>(*at)));
  }
  if (const Map* entries = object.as_map()) {
    auto found = entries->find(key, budget_);
    return found ? counted(*std::move(found)) : fault("no such key", node);
  }
  return no_overload("'[]'", pair.values, node.offset);
}

Datum Evaluator::list(const Node& node) {
  std::vector<Datum> items;
  items.reserve(node.operands.size());
  for (const auto& operand : node.operands) {
    Datum item = eval(*operand);
    if (item.is_fault()) return item;
    items.push_back(std::move(item));
  }
  budget_.spend(kElementSteps * items.size());
  return List(std::move(items));
}

Datum Evaluator::map(const Node& node) {
  std::vector<Map::Entry> entries;
  for (std::size_t i = 0; i + 1 < node.operands.size(); i += 2) {
    Datum key = eval(*node.operands[i]);
    if (key.is_fault()) return key;
    const bool allowed = key.as_int() || key.as_uint() || key.as_bool() || key.as_text() != nullptr;
    if (!allowed) return no_overload("a key of a map", {&key, 1}, node.operands[i]->offset);
    for (const auto& [other, value] : entries) {
      if (equal(other, key, budget_)) {
        return fault("the map has a key twice", *node.operands[i]);
      }
    }
    Datum value = eval(*node.operands[i + 1]);
    if (value.is_fault()) return value;
    entries.emplace_back(std::move(key), std::move(value));
  }
  budget_.spend(2 * kElementSteps * entries.size());
  return Map(std::move(entries));
}

// One operand that is `decisive` decides, in whatever order they stand and whatever the others are.
Datum Evaluator::chain(const Node& node, bool decisive) {
  Datum result = !decisive;
  for (const auto& operand : node.operands) {
    Datum value = eval(*operand);
    if (const bool* b = value.as_bool()) {
      if (*b == decisive) return decisive;
      continue;
    }
    if (result.is_fault()) continue;
    result = value.is_fault() ? std::move(value)
                              : no_overload(decisive ? "'||'" : "'&&'", {&value, 1}, node.offset);
  }
  return result;
}

Evaluator::Pair Evaluator::both(const Node& node) {
  Pair pair;
  pair.values[0] = eval(*node.operands[0]);
  if (!pair.values[0].is_fault()) pair.values[1] = eval(*node.operands[1]);
  return pair;
}

Datum Evaluator::equality(const Node& node) {
  Pair pair = both(node);
  if (const Datum* wrong = pair.fault()) return *wrong;
  return equal(pair.values[0], pair.values[1], budget_) == (node.op == Op::kEqual);
}

Datum Evaluator::relation(const Node& node) {
  Pair pair = both(node);
  if (const Datum* wrong = pair.fault()) return *wrong;
  const auto order = compare(pair.values[0], pair.values[1], budget_);
  if (!order) return no_overload("'" + node.name + "'", pair.values, node.offset);
  switch (node.op) {
    case Op::kLess: return *order == Order::kLess;
    case Op::kLessEqual: return *order == Order::kLess || *order == Order::kEqual;
    case Op::kGreater: return *order == Order::kGreater;
    default: return *order == Order::kGreater || *order == Order::kEqual;
  }
}

Datum Evaluator::membership(const Node& node) {
  Pair pair = both(node);
  if (const Datum* wrong = pair.fault()) return *wrong;
  const auto& [element, range] = pair.values;
  if (const Map* entries = range.as_map()) return entries->find(element, budget_).has_value();
  const List* const items = range.as_list();
  if (items == nullptr) return no_overload("'in'", pair.values, node.offset);
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Datum item = items->at(i);
    if (equal(item, element, budget_)) return true;
    if (budget_.exhausted()) break;
  }
  return false;
}

Datum Evaluator::arithmetic(const Node& node) {
  Pair pair = both(node);
  if (const Datum* wrong = pair.fault()) return *wrong;
  const auto& [a, b] = pair.values;
  if (a.as_int() && b.as_int()) return checked(node.op, *a.as_int(), *b.as_int(), node);
  if (a.as_uint() && b.as_uint()) return checked(node.op, *a.as_uint(), *b.as_uint(), node);
  if (a.as_double() && b.as_double()) {
    if (auto out = doubles(node.op, *a.as_double(), *b.as_double())) return *std::move(out);
  }
  if (auto out = times(a, b, node)) return *std::move(out);
  if (node.op == Op::kAdd) {
    const auto joined = [&](const Text& x, const Text& y) {
      budget_.spend((x.view.size() + y.view.size()) / 8);
      return std::string(x.view).append(y.view);
    };
    if (a.as_text() && b.as_text()) return Datum::text(joined(*a.as_text(), *b.as_text()));
    if (a.as_bytes() && b.as_bytes()) {
      return Datum::bytes(joined(a.as_bytes()->text, b.as_bytes()->text));
    }
    if (a.as_list() && b.as_list()) {
      std::vector<Datum> items;
      for (const List* part : {a.as_list(), b.as_list()}) {
        if (!budget_.spend(kElementSteps * part->size())) break;
        for (std::size_t i = 0; i < part->size(); ++i) items.push_back(part->at(i));
      }
      return List(std::move(items));
    }
  }
  return no_overload("'" + node.name + "'", pair.values, node.offset);
}

Datum Evaluator::negate(const Node& node) {
  Datum value = eval(*node.operands[0]);
  if (value.is_fault()) return value;
  if (node.op == Op::kNot) {
    if (const bool* b = value.as_bool()) return !*b;
    return no_overload("'!'", {&value, 1}, node.offset);
  }
  if (const double* d = value.as_double()) return -*d;
  if (const auto* i = value.as_int()) {
    if (*i == std::numeric_limits<std::int64_t>::min()) {
      return fault("the result of '-' is out of range", node);
    }
    return -*i;
  }
  return no_overload("'-'", {&value, 1}, node.offset);
}

Datum Evaluator::call(const Node& node) {
  std::vector<Datum> arguments;
  arguments.reserve(node.operands.size());
  for (const auto& operand : node.operands) {
    Datum argument = eval(*operand);
    if (argument.is_fault()) return argument;
    arguments.push_back(std::move(argument));
  }
  return node.function->run(arguments, node, budget_);
}

template <class Body>
Datum Evaluator::for_each(const Node& node, Body body) {
  Datum range = eval(*node.operands[0]);
  if (range.is_fault()) return range;
  const List* const items = range.as_list();
  const Map* const entries = range.as_map();
  if (items == nullptr && entries == nullptr) {
    return no_overload(quoted(node.name), {&range, 1}, node.offset);
  }
  const std::size_t size = items ? items->size() : entries->size();
  for (std::size_t i = 0; i < size && budget_.spend(1); ++i) {
    Datum element = counted(items ? items->at(i) : entries->key(i));
    if (element.is_fault()) return element;
    locals_.push_back(std::move(element));
    const bool go_on = body();
    locals_.pop_back();
    if (!go_on) break;
  }
  return {};
}

// all and exists: as a chain of && and ||, so that one element that decides absorbs the errors of
// the others.
Datum Evaluator::quantify(const Node& node, bool decisive) {
  Datum result = !decisive;
  const Datum walked = for_each(node, [&] {
    Datum value = eval(*node.operands[1]);
    if (const bool* b = value.as_bool()) {
      if (*b == decisive) result = decisive;
      return *b != decisive;
    }
    if (!result.is_fault()) {
      result = value.is_fault() ? std::move(value)
                                : no_overload(quoted(node.name), {&value, 1}, node.offset);
    }
    return true;
  });
  return walked.is_fault() ? walked : result;
}

Datum Evaluator::exists_one(const Node& node) {
  std::size_t count = 0;
  Datum wrong;
  Datum walked = for_each(node, [&] {
    Datum value = eval(*node.operands[1]);
    if (const bool* b = value.as_bool()) {
      count += *b ? 1 : 0;
      return true;
    }
    wrong = value.is_fault() ? std::move(value)
                             : no_overload(quoted(node.name), {&value, 1}, node.offset);
    return false;
  });
  if (walked.is_fault()) return walked;
  return wrong.is_fault() ? wrong : Datum(count == 1);
}

// map and filter.
Datum Evaluator::transform(const Node& node) {
  const bool filters = node.op == Op::kFilter || node.operands.size() == 3;
  std::vector<Datum> items;
  Datum wrong;
  Datum walked = for_each(node, [&] {
    if (filters) {
      Datum keep = eval(*node.operands[1]);
      if (!keep.as_bool()) {
        wrong = keep.is_fault() ? std::move(keep)
                                : no_overload(quoted(node.name), {&keep, 1}, node.offset);
        return false;
      }
      if (!*keep.as_bool()) return true;
    }
    Datum item = node.op == Op::kFilter ? locals_.back() : eval(*node.operands.back());
    if (item.is_fault()) {
      wrong = std::move(item);
      return false;
    }
    items.push_back(std::move(item));
    return budget_.spend(kElementSteps);
  });
  if (walked.is_fault()) return walked;
  return wrong.is_fault() ? wrong : Datum(List(std::move(items)));
}

}  // namespace mxcp::cel
