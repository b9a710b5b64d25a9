#include "engine/vector_reader.h"

#include <charconv>
#include <limits>

#include "base/json.h"
#include "engine/scalar_text.h"

namespace mxcp::engine {
namespace {

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

__int128 join(c::HugeInt value) {
  return static_cast<__int128>(
      static_cast<unsigned __int128>(static_cast<std::uint64_t>(value.upper)) << 64 | value.lower);
}

}  // namespace

VectorView::VectorView(const Api& api, void* vector, const ColumnType& type)
    : api_(&api),
      vector_(static_cast<c::Vector>(vector)),
      type_(&type),
      data_(nullptr),
      validity_(api.vector_get_validity(vector_)) {
  if (type.id == TypeId::kUnion) {
    // A union is a structure whose first member is the tag.
    data_ = api.vector_get_data(api.struct_vector_get_child(vector_, 0));
  } else if (type.id != TypeId::kStruct && type.id != TypeId::kArray) {
    data_ = api.vector_get_data(vector_);
  }
}

std::int64_t VectorView::get_int(std::size_t row) const {
  switch (type_->id) {
    case TypeId::kTinyInt: return at<std::int8_t>(row);
    case TypeId::kSmallInt: return at<std::int16_t>(row);
    case TypeId::kInteger: return at<std::int32_t>(row);
    case TypeId::kUTinyInt: return at<std::uint8_t>(row);
    case TypeId::kUSmallInt: return at<std::uint16_t>(row);
    case TypeId::kUInteger: return at<std::uint32_t>(row);
    default: return at<std::int64_t>(row);
  }
}

__int128 VectorView::get_hugeint(std::size_t row) const {
  if (type_->id == TypeId::kDecimal) {
    switch (type_->internal) {
      case TypeId::kSmallInt: return at<std::int16_t>(row);
      case TypeId::kInteger: return at<std::int32_t>(row);
      case TypeId::kBigInt: return at<std::int64_t>(row);
      default: break;
    }
  }
  return join(at<c::HugeInt>(row));
}

unsigned __int128 VectorView::get_uhugeint(std::size_t row) const {
  const auto& value = at<c::UHugeInt>(row);
  return static_cast<unsigned __int128>(value.upper) << 64 | value.lower;
}

double VectorView::get_double(std::size_t row) const {
  if (type_->id == TypeId::kFloat) return at<float>(row);
  if (type_->id == TypeId::kDouble) return at<double>(row);
  const __int128 unscaled = get_hugeint(row);
  // Both exact, so that one division rounds once: the nearest double.
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr __int128 kExact = std::int64_t{1} << 53;
  if (type_->scale <= 22 && unscaled >= -kExact && unscaled <= kExact) {
    return static_cast<double>(static_cast<std::int64_t>(unscaled)) / kPowers[type_->scale];
  }
  std::string text;
  append_decimal(text, unscaled, type_->scale);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view VectorView::get_string(std::size_t row) const {
  if (type_->id != TypeId::kEnum) return at<c::String>(row).view();
  std::size_t index = 0;
  switch (type_->internal) {
    case TypeId::kUTinyInt: index = at<std::uint8_t>(row); break;
    case TypeId::kUSmallInt: index = at<std::uint16_t>(row); break;
    default: index = at<std::uint32_t>(row); break;
  }
  return index < type_->names.size() ? std::string_view(type_->names[index]) : std::string_view();
}

Time VectorView::get_time(std::size_t row) const {
  if (type_->id == TypeId::kTimeTz) {
    const auto& value = at<c::TimeTz>(row);
    return {time_tz_micros(value), true, time_tz_offset(value)};
  }
  const std::int64_t value = at<std::int64_t>(row);
  return {type_->id == TypeId::kTimeNs ? value / 1000 : value};
}

Timestamp VectorView::get_timestamp(std::size_t row) const {
  const std::int64_t value = at<std::int64_t>(row);
  switch (type_->id) {
    case TypeId::kTimestampS: return {value * 1'000'000};
    case TypeId::kTimestampMs: return {value * 1000};
    case TypeId::kTimestampNs: return {floor_divide(value, 1000)};
    case TypeId::kTimestampTz: return {value, true, 0};
    case TypeId::kTimestampTzNs: return {floor_divide(value, 1000), true, 0};
    default: return {value};
  }
}

bool VectorView::is_finite(std::size_t row) const {
  if (type_->id == TypeId::kDate) {
    constexpr std::int32_t kInfinity = std::numeric_limits<std::int32_t>::max();
    const std::int32_t days = at<std::int32_t>(row);
    return days != kInfinity && days != -kInfinity;
  }
  constexpr std::int64_t kInfinity = std::numeric_limits<std::int64_t>::max();
  const std::int64_t value = at<std::int64_t>(row);
  return value != kInfinity && value != -kInfinity;
}

void VectorView::append_text(std::size_t row, std::string& out) const {
  const auto infinite = [&](bool negative) { out += negative ? "-infinity" : "infinity"; };
  switch (type_->id) {
    case TypeId::kBoolean: out += get_bool(row) ? "true" : "false"; return;
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kUTinyInt:
    case TypeId::kUSmallInt:
    case TypeId::kUInteger: return append_int(out, get_int(row));
    case TypeId::kUBigInt: return append_uint(out, get_uint(row));
    case TypeId::kHugeInt: return append_int128(out, get_hugeint(row));
    case TypeId::kUHugeInt: return append_uint128(out, get_uhugeint(row));
    case TypeId::kBigNum: return append_bignum(out, at<c::String>(row).view());
    case TypeId::kDecimal: return append_decimal(out, get_hugeint(row), type_->scale);
    case TypeId::kFloat: return append_float(out, at<float>(row));
    case TypeId::kDouble: return append_double(out, at<double>(row));
    case TypeId::kVarchar:
    case TypeId::kEnum: out += get_string(row); return;
    case TypeId::kBlob: return append_base64(out, get_string(row));
    case TypeId::kBit: return append_bits(out, at<c::String>(row).view());
    case TypeId::kUuid: return append_uuid(out, at<c::HugeInt>(row));
    case TypeId::kDate:
      if (!is_finite(row)) return infinite(at<std::int32_t>(row) < 0);
      return append_date(out, at<std::int32_t>(row));
    case TypeId::kTime: return append_time(out, at<std::int64_t>(row));
    case TypeId::kTimeNs: return append_time_ns(out, at<std::int64_t>(row));
    case TypeId::kTimeTz: {
      const auto& value = at<c::TimeTz>(row);
      return append_time_tz(out, time_tz_micros(value), time_tz_offset(value));
    }
    case TypeId::kTimestamp:
    case TypeId::kTimestampS:
    case TypeId::kTimestampMs:
    case TypeId::kTimestampTz:
      if (!is_finite(row)) return infinite(at<std::int64_t>(row) < 0);
      return append_timestamp(out, get_timestamp(row).micros, type_->id == TypeId::kTimestampTz);
    case TypeId::kTimestampNs:
    case TypeId::kTimestampTzNs:
      if (!is_finite(row)) return infinite(at<std::int64_t>(row) < 0);
      return append_timestamp_ns(out, at<std::int64_t>(row), type_->id == TypeId::kTimestampTzNs);
    case TypeId::kInterval: return append_interval(out, get_interval(row));
    case TypeId::kList:
    case TypeId::kArray:
    case TypeId::kStruct:
    case TypeId::kMap:
    case TypeId::kUnion:
    case TypeId::kSqlNull:
    case TypeId::kOther: return;
  }
}

c::ListEntry VectorView::get_list(std::size_t row) const {
  if (type_->id == TypeId::kArray) return {row * type_->array_size, type_->array_size};
  return at<c::ListEntry>(row);
}

VectorView VectorView::child(std::size_t index) const {
  switch (type_->id) {
    case TypeId::kList: return {*api_, api_->list_vector_get_child(vector_), type_->children[0]};
    case TypeId::kArray: return {*api_, api_->array_vector_get_child(vector_), type_->children[0]};
    case TypeId::kMap:
      // A map is a list of structures of a key and a value.
      return {*api_, api_->struct_vector_get_child(api_->list_vector_get_child(vector_), index),
              type_->children[index]};
    case TypeId::kUnion:
      return {*api_, api_->struct_vector_get_child(vector_, index + 1), type_->children[index]};
    default: return {*api_, api_->struct_vector_get_child(vector_, index), type_->children[index]};
  }
}

}  // namespace mxcp::engine
