#include "base/json_member.h"

#include <boost/json/basic_parser_impl.hpp>
#include <utility>

namespace mxcp {
namespace {

namespace bj = boost::json;

// Receives the events of the parser, and forgets all but the member.
class Finder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  explicit Finder(std::string name) : name_(std::move(name)) {}

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(true); }
  bool on_array_begin(bj::error_code&) { return open(false); }
  bool on_object_end(std::size_t, bj::error_code&) { return close(); }
  bool on_array_end(std::size_t, bj::error_code&) { return close(); }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) { return add(part); }
  bool on_key(bj::string_view part, std::size_t, bj::error_code&) {
    add(part);
    wanted_ = depth_ == 1 && in_object_ && std::exchange(text_, {}) == name_;
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) { return add(part); }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
    add(part);
    const bool fits = text_.size() <= JsonMember::kLongest;
    return put(fits ? std::optional<Value>(text_) : std::nullopt);
  }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t value, bj::string_view, bj::error_code&) { return put(value); }
  bool on_uint64(std::uint64_t value, bj::string_view, bj::error_code&) { return put(value); }
  bool on_double(double, bj::string_view, bj::error_code&) { return put({}); }
  bool on_bool(bool, bj::error_code&) { return put({}); }
  bool on_null(bj::error_code&) { return put({}); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

  std::optional<Value> take() { return std::move(found_); }

 private:
  bool add(bj::string_view part) {
    // Keys and strings at other places are of no interest.
    if (depth_ == 1 && text_.size() <= JsonMember::kLongest) text_.append(part.data(), part.size());
    return true;
  }
  bool open(bool object) {
    if (depth_++ == 0) in_object_ = object;
    if (depth_ == 2) put({});
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }
  bool put(std::optional<Value> value) {
    if (std::exchange(wanted_, false)) found_ = std::move(value);
    if (depth_ <= 2) text_.clear();
    return true;
  }

  const std::string name_;
  std::size_t depth_ = 0;
  bool in_object_ = false;
  bool wanted_ = false;  // the next value
  std::string text_;
  std::optional<Value> found_;
};

bj::parse_options with_depth() {
  bj::parse_options options;
  options.max_depth = JsonMember::kDeepest;
  return options;
}

}  // namespace

struct JsonMember::State {
  explicit State(std::string name) : parser(with_depth(), std::move(name)) {}
  bj::basic_parser<Finder> parser;
  bj::error_code error;
};

JsonMember::JsonMember(std::string name) : state_(std::make_unique<State>(std::move(name))) {}
JsonMember::~JsonMember() = default;
JsonMember::JsonMember(JsonMember&&) noexcept = default;
JsonMember& JsonMember::operator=(JsonMember&&) noexcept = default;

void JsonMember::feed(std::string_view piece) {
  if (state_->error || piece.empty() || state_->parser.done()) return;
  state_->parser.write_some(true, piece.data(), piece.size(), state_->error);
}

std::optional<Value> JsonMember::finish() {
  if (!state_->error && !state_->parser.done()) {
    state_->parser.write_some(false, "", 0, state_->error);
  }
  if (state_->error) return {};
  return state_->parser.handler().take();
}

}  // namespace mxcp
