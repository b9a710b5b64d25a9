#include "base/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/calendar.h"
#include "base/json_stream.h"
#include "base/text.h"

namespace mxcp {
namespace {

namespace bj = boost::json;

// Receives the events of Boost.JSON's parser and builds the Value.
class Builder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(Object{}); }
  bool on_array_begin(bj::error_code&) { return open(Array{}); }
  bool on_object_end(std::size_t, bj::error_code&) { return close(); }
  bool on_array_end(std::size_t, bj::error_code&) { return close(); }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    keys_.back() = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
    text_.append(part.data(), part.size());
    return put(Value(std::exchange(text_, {})));
  }
  bool on_number_part(bj::string_view part, bj::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t, bj::string_view part, bj::error_code&) { return number(part); }
  bool on_uint64(std::uint64_t, bj::string_view part, bj::error_code&) { return number(part); }
  bool on_double(double, bj::string_view part, bj::error_code&) { return number(part); }
  bool on_bool(bool value, bj::error_code&) { return put(value); }
  bool on_null(bj::error_code&) { return put(nullptr); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

  Value take() { return std::move(root_); }

 private:
  bool open(Value container) {
    stack_.push_back(std::move(container));
    keys_.emplace_back();
    return true;
  }

  bool close() {
    Value done = std::move(stack_.back());
    stack_.pop_back();
    keys_.pop_back();
    return put(std::move(done));
  }

  bool put(Value value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (Array* array = stack_.back().as_array()) {
      array->push_back(std::move(value));
    } else {
      stack_.back().as_object()->set(std::move(keys_.back()), std::move(value));
    }
    return true;
  }

  // Boost's own conversion may be off in the last digit and loses what does not fit: ours is exact.
  bool number(bj::string_view part) {
    text_.append(part.data(), part.size());
    const std::string text = std::exchange(text_, {});
    const char* const end = text.data() + text.size();
    const bool integral = text.find_first_of(".eE") == std::string::npos;
    if (integral) {
      std::int64_t i = 0;
      if (std::from_chars(text.data(), end, i).ec == std::errc{}) {
        // "-0" is a number of its own in floating point.
        return i == 0 && text.front() == '-' ? put(-0.0) : put(i);
      }
      return put(ExactNumber{text});
    }
    double d = 0;
    const auto converted = std::from_chars(text.data(), end, d);
    if (converted.ec != std::errc{}) return put(ExactNumber{text});
    // Up to 15 significant digits every decimal survives the way through a double.
    std::size_t digits = 0;
    for (const char c : text) {
      if (c == 'e' || c == 'E') break;
      if (c >= '0' && c <= '9' && (digits > 0 || c != '0')) ++digits;
    }
    if (digits <= 15) return put(d);
    std::string shortest;
    append_json_double(shortest, d);
    return shortest == text || digits > 400 ? put(d) : put(ExactNumber{text});
  }

  Value root_;
  std::vector<Value> stack_;
  std::vector<std::string> keys_;
  std::string text_;
};

Place place_of(std::string_view text, std::size_t offset) {
  Place place;
  place.line = 1;
  place.column = 1;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

// Where pretty text goes: in pieces to somebody who takes them.
class PrettySink {
 public:
  explicit PrettySink(const std::function<void(std::string_view)>& write) : write_(write) {}

  void put(char c) {
    if (used_ == kPiece) flush();
    piece_[used_++] = c;
  }
  void put(std::string_view text) {
    if (text.size() > kPiece - used_) {
      flush();
      if (text.size() > kPiece) return write_(text);
    }
    std::memcpy(&piece_[used_], text.data(), text.size());
    used_ += text.size();
  }
  void newline(int depth) {
    static constexpr std::string_view kLine = "\n                                ";
    const auto size = static_cast<std::size_t>(depth) * 2 + 1;
    put(kLine.substr(0, size));
    for (std::size_t i = kLine.size(); i < size; ++i) put(' ');
  }
  void flush() {
    if (used_ > 0) write_({piece_.get(), used_});
    used_ = 0;
  }

 private:
  static constexpr std::size_t kPiece = 64 * 1024;
  const std::function<void(std::string_view)>& write_;
  const std::unique_ptr<char[]> piece_ = std::make_unique_for_overwrite<char[]>(kPiece);
  std::size_t used_ = 0;
};

// The closing quote of the string that begins at `begin`, in valid JSON.
std::size_t end_of_string(std::string_view json, std::size_t begin) {
  std::size_t end = json.find('"', begin + 1);
  while (true) {
    std::size_t slashes = 0;
    while (json[end - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return end;
    end = json.find('"', end + 1);
  }
}

// Valid JSON text with new white space; every token stays as it is written.
void append_indented(PrettySink& sink, std::string_view json, int depth) {
  constexpr std::string_view kSpace = " \t\n\r";
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    switch (c) {
      case ' ':
      case '\t':
      case '\n':
      case '\r': break;
      case '"': {
        const std::size_t end = end_of_string(json, i);
        sink.put(json.substr(i, end - i + 1));
        i = end;
        break;
      }
      case '{':
      case '[': {
        sink.put(c);
        const std::size_t next = json.find_first_not_of(kSpace, i + 1);
        if (json[next] == '}' || json[next] == ']') {
          sink.put(json[next]);
          i = next;
        } else {
          sink.newline(++depth);
        }
        break;
      }
      case '}':
      case ']':
        sink.newline(--depth);
        sink.put(c);
        break;
      case ',':
        sink.put(c);
        sink.newline(depth);
        break;
      case ':': sink.put(": "); break;
      default: {
        // A number or a word.
        std::size_t end = i + 1;
        while (end < json.size() && json[end] != ',' && json[end] != '}' && json[end] != ']' &&
               kSpace.find(json[end]) == std::string_view::npos) {
          ++end;
        }
        sink.put(json.substr(i, end - i));
        i = end - 1;
      }
    }
  }
}

void append_pretty(PrettySink& sink, const Value& value, int depth) {
  if (const RawJson* raw = value.as_raw()) {
    append_indented(sink, raw->text, depth);
  } else if (const Array* array = value.as_array(); array && !array->empty()) {
    sink.put('[');
    for (const Value& item : *array) {
      if (&item != &array->front()) sink.put(',');
      sink.newline(depth + 1);
      append_pretty(sink, item, depth + 1);
    }
    sink.newline(depth);
    sink.put(']');
  } else if (const Object* object = value.as_object(); object && !object->empty()) {
    sink.put('{');
    bool first = true;
    std::string name;
    for (const auto& [key, item] : *object) {
      if (!std::exchange(first, false)) sink.put(',');
      sink.newline(depth + 1);
      name.clear();
      append_json_string(name, key);
      sink.put(name);
      sink.put(": ");
      append_pretty(sink, item, depth + 1);
    }
    sink.newline(depth);
    sink.put('}');
  } else {
    sink.put(to_json(value));
  }
}

}  // namespace

Result<Value> parse_json(std::string_view text, const JsonLimits& limits) {
  bj::parse_options options;
  options.max_depth = limits.max_depth;
  bj::basic_parser<Builder> parser(options);
  bj::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  std::size_t at = used;
  if (!error && used < text.size()) {
    at = used + text.substr(used).find_first_not_of(" \t\r\n");
    if (at >= used && at < text.size()) error = bj::error::extra_data;
  }
  if (!error) return parser.handler().take();
  std::string what = error.message();
  if (error == bj::error::incomplete) what = "the text ends in the middle of a value";
  if (error == bj::error::too_deep) {
    what = "nested deeper than " + std::to_string(limits.max_depth) + " levels";
  }
  return Error{Code::kInvalidArgs, "invalid JSON: " + what,
               place_of(text, std::min(at, text.size()))};
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

void append_json(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: out += "null"; return;
    case Value::Kind::kBool: out += *value.as_bool() ? "true" : "false"; return;
    case Value::Kind::kInt: append_json_int(out, *value.as_int()); return;
    case Value::Kind::kDouble: append_json_double(out, *value.as_double()); return;
    case Value::Kind::kNumber: out += value.as_number()->text; return;
    case Value::Kind::kString: append_json_string(out, *value.as_string()); return;
    case Value::Kind::kDate: append_json_string(out, to_iso(*value.as_date())); return;
    case Value::Kind::kTime: append_json_string(out, to_iso(*value.as_time())); return;
    case Value::Kind::kTimestamp: append_json_string(out, to_iso(*value.as_timestamp())); return;
    case Value::Kind::kBytes:
      out += '"';
      append_base64(out, value.as_bytes()->data);
      out += '"';
      return;
    case Value::Kind::kArray: {
      out += '[';
      bool first = true;
      for (const Value& item : *value.as_array()) {
        if (!std::exchange(first, false)) out += ',';
        append_json(out, item);
      }
      out += ']';
      return;
    }
    case Value::Kind::kObject: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : *value.as_object()) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(out, key);
        out += ':';
        append_json(out, item);
      }
      out += '}';
      return;
    }
    case Value::Kind::kRaw: out += value.as_raw()->text; return;
    case Value::Kind::kInterval:
    case Value::Kind::kUuid: append_json_string(out, to_plain_text(value)); return;
  }
}

void write_pretty_json(const Value& value, const std::function<void(std::string_view)>& write) {
  PrettySink sink(write);
  append_pretty(sink, value, 0);
  sink.flush();
}

std::string to_pretty_json(const Value& value) {
  std::string out;
  write_pretty_json(value, [&out](std::string_view text) { out += text; });
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  // Repaired first, so that the loop below may copy bytes.
  std::string repaired;
  if (!is_valid_utf8(text)) {
    for (std::size_t i = 0; i < text.size();) {
      std::size_t n = 1;
      while (n <= 4 && i + n <= text.size() && !is_valid_utf8(text.substr(i, n))) ++n;
      if (n <= 4 && i + n <= text.size()) {
        repaired += text.substr(i, n);
        i += n;
      } else {
        repaired += "\xEF\xBF\xBD";
        ++i;
      }
    }
    text = repaired;
  }
  out += '"';
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') [[likely]]
      continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, copied, text.size() - copied);
  out += '"';
}

void append_json_int(std::string& out, std::int64_t value) {
  char buffer[24];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end);
}

void append_json_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  // A double stays recognisable as one: 1.0, not 1.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_base64(std::string& out, std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += i + 1 < bytes.size() ? kAlphabet[group >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[group & 63] : '=';
  }
}

void append_uuid(std::string& out, Uuid uuid) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += kHex[(i < 16 ? uuid.high : uuid.low) >> (60 - i % 16 * 4) & 15];
  }
}

std::string to_iso(Date date) {
  std::string out;
  append_date(out, date.days);
  return out;
}

std::string to_iso(Time time) {
  std::string out;
  append_time(out, time.micros);
  if (time.has_zone) append_zone(out, time.offset);
  return out;
}

std::string to_iso(Timestamp timestamp) {
  constexpr std::int64_t kDay = 86400LL * 1000000;
  std::int64_t micros = timestamp.micros;
  if (timestamp.has_zone) micros += timestamp.offset * 1000000LL;
  const auto [days, rest] = floor_split(micros, kDay);
  std::string out;
  append_date(out, days);
  out += 'T';
  append_time(out, rest);
  if (timestamp.has_zone) append_zone(out, timestamp.offset);
  return out;
}

std::string to_iso(Interval interval) {
  std::string out;
  append_interval(out, interval.months, interval.days, interval.micros);
  return out;
}

std::string to_plain_text(const Value& value) {
  if (const std::string* text = value.as_string()) return *text;
  if (const Date* date = value.as_date()) return to_iso(*date);
  if (const Time* time = value.as_time()) return to_iso(*time);
  if (const Timestamp* timestamp = value.as_timestamp()) return to_iso(*timestamp);
  if (const Interval* interval = value.as_interval()) return to_iso(*interval);
  if (const Uuid* uuid = value.as_uuid()) {
    std::string text;
    append_uuid(text, *uuid);
    return text;
  }
  if (const Bytes* bytes = value.as_bytes()) {
    std::string base64;
    append_base64(base64, bytes->data);
    return base64;
  }
  return to_json(value);
}

}  // namespace mxcp
