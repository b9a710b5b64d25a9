#include "base/value.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace mxcp {
namespace {

// To look through fewer members is faster than to hash a key.
constexpr std::size_t kLarge = 32;

}  // namespace

Object::Object(std::initializer_list<Member> members) : members_(members) {}

const Value* Object::find(std::string_view key) const {
  if (index_.places != nullptr) {
    const auto found = index_.places->find(std::string(key));
    return found == index_.places->end() ? nullptr : &members_[found->second].second;
  }
  for (const auto& [name, value] : members_) {
    if (name == key) return &value;
  }
  return nullptr;
}

Value* Object::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

Value& Object::set(std::string key, Value value) {
  if (members_.size() >= kLarge && index_.places == nullptr) {
    index_.places = std::make_unique<std::unordered_map<std::string, std::size_t>>();
    for (std::size_t i = 0; i < members_.size(); ++i) index_.places->emplace(members_[i].first, i);
  }
  if (Value* old = find(key)) return *old = std::move(value);
  return add(std::move(key), std::move(value));
}

Value& Object::add(std::string key, Value value) {
  if (index_.places != nullptr) index_.places->emplace(key, members_.size());
  return members_.emplace_back(std::move(key), std::move(value)).second;
}

bool Object::erase(std::string_view key) {
  const auto it = std::find_if(members_.begin(), members_.end(),
                               [&](const Member& m) { return m.first == key; });
  if (it == members_.end()) return false;
  members_.erase(it);
  index_.places.reset();
  return true;
}

std::size_t Object::size() const {
  return members_.size();
}
void Object::reserve(std::size_t n) {
  members_.reserve(n);
}
std::vector<Object::Member>::const_iterator Object::begin() const {
  return members_.begin();
}
std::vector<Object::Member>::const_iterator Object::end() const {
  return members_.end();
}
std::vector<Object::Member>::iterator Object::begin() {
  return members_.begin();
}
std::vector<Object::Member>::iterator Object::end() {
  return members_.end();
}

bool operator==(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  if (a.size() >= kLarge) {
    std::unordered_map<std::string_view, const Value*> known;
    for (const Object::Member& m : b) known.emplace(m.first, &m.second);
    return std::all_of(a.begin(), a.end(), [&](const Object::Member& m) {
      const auto other = known.find(m.first);
      return other != known.end() && *other->second == m.second;
    });
  }
  return std::all_of(a.begin(), a.end(), [&](const Object::Member& m) {
    const Value* other = b.find(m.first);
    return other != nullptr && *other == m.second;
  });
}

Value::Value(std::uint64_t i) {
  if (i <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    data_ = static_cast<std::int64_t>(i);
  } else {
    data_ = ExactNumber{std::to_string(i)};
  }
}

const Value* Value::find(std::string_view key) const {
  const Object* object = as_object();
  return object ? object->find(key) : nullptr;
}

std::string_view Value::kind_name() const {
  switch (kind()) {
    case Kind::kNull: return "null";
    case Kind::kBool: return "boolean";
    case Kind::kInt: return "integer";
    case Kind::kDouble:
    case Kind::kNumber: return "number";
    case Kind::kString: return "string";
    case Kind::kDate: return "date";
    case Kind::kTime: return "time";
    case Kind::kTimestamp: return "date-time";
    case Kind::kBytes: return "bytes";
    case Kind::kArray: return "array";
    case Kind::kObject: return "object";
    case Kind::kRaw: return "JSON";
    case Kind::kInterval: return "interval";
    case Kind::kUuid: return "UUID";
  }
  return "value";
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number() && a.kind() != b.kind()) return to_double(a) == to_double(b);
  return a.data_ == b.data_;
}

double to_double(const Value& number) {
  if (const auto* i = number.as_int()) return static_cast<double>(*i);
  if (const auto* d = number.as_double()) return *d;
  if (const auto* n = number.as_number()) {
    double out = 0;
    const auto [end, error] = std::from_chars(n->text.data(), n->text.data() + n->text.size(), out);
    if (error == std::errc::result_out_of_range) {
      const bool negative = !n->text.empty() && n->text.front() == '-';
      const bool tiny =
          n->text.find("e-") != std::string::npos || n->text.find("E-") != std::string::npos;
      if (tiny) return negative ? -0.0 : 0.0;
      return negative ? -std::numeric_limits<double>::infinity()
                      : std::numeric_limits<double>::infinity();
    }
    return out;
  }
  return 0;
}

}  // namespace mxcp
