// JsonMember: one member of the outermost object of a JSON text, which may be too long or too deep
// to be read as a whole and need not be held.
//
//     JsonMember id("id");
//     while (...) id.feed(piece);
//     if (const auto value = id.finish()) ...
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"

namespace mxcp {

class JsonMember {
 public:
  explicit JsonMember(std::string name);
  ~JsonMember();
  JsonMember(JsonMember&&) noexcept;
  JsonMember& operator=(JsonMember&&) noexcept;

  void feed(std::string_view piece);
  // The text has ended: a string (of up to kLongest bytes) or an integer; nothing when there is no
  // such member, it is something else, or the text is no JSON, or deeper than kDeepest.
  std::optional<Value> finish();
  static constexpr std::size_t kLongest = 1024;
  static constexpr std::size_t kDeepest = 1000;  // levels: the parser calls itself for each

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mxcp
