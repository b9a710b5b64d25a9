#include "python/datetimes.h"

#include <datetime.h>

#include <cstdlib>

#include "base/calendar.h"

namespace mxcp::python {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

bool load_api() {
  if (PyDateTimeAPI == nullptr) PyDateTime_IMPORT;
  return PyDateTimeAPI != nullptr;
}

// Whether some code has imported datetime: otherwise no object can be one of its types.
bool api_in_use() {
  if (PyDateTimeAPI != nullptr) return true;
  const PyRef name = PyRef::steal(PyUnicode_InternFromString("datetime"));
  const PyRef module = PyRef::steal(name ? PyImport_GetModule(name.get()) : nullptr);
  if (!module) {
    PyErr_Clear();
    return false;
  }
  return load_api();
}

bool check_year(std::int64_t year) {
  if (year >= 1 && year <= 9999) return true;
  PyErr_Format(PyExc_ValueError, "year %lld is outside of what Python's dates hold (1 to 9999)",
               static_cast<long long>(year));
  return false;
}

PyRef zone(std::int32_t offset) {
  if (offset == 0) return PyRef::borrow(PyDateTime_TimeZone_UTC);
  const PyRef delta = PyRef::steal(PyDelta_FromDSU(0, offset, 0));
  return delta ? PyRef::steal(PyTimeZone_FromOffset(delta.get())) : PyRef();
}

struct Clock {
  int hour, minute, second, micro;
};
Clock clock_from_micros(std::int64_t micros) {
  return {static_cast<int>(micros / 3'600'000'000), static_cast<int>(micros / 60'000'000 % 60),
          static_cast<int>(micros / 1'000'000 % 60), static_cast<int>(micros % 1'000'000)};
}
std::int64_t micros_of(int hour, int minute, int second, int micro) {
  return ((hour * 60LL + minute) * 60 + second) * 1'000'000 + micro;
}

std::int64_t days_of_date(PyObject* date) {
  return days_of({PyDateTime_GET_YEAR(date), PyDateTime_GET_MONTH(date), PyDateTime_GET_DAY(date)});
}

// Seconds east of UTC of an aware object; false when it is naive. `failed` when its tzinfo raised.
bool read_offset(PyObject* object, std::int32_t& offset, bool& failed) {
  failed = false;
  const PyRef delta = call_method(object, "utcoffset");
  if (!delta) {
    failed = true;
    return false;
  }
  if (delta.get() == Py_None || !PyDelta_Check(delta.get())) return false;
  offset =
      PyDateTime_DELTA_GET_DAYS(delta.get()) * 86400 + PyDateTime_DELTA_GET_SECONDS(delta.get());
  return true;
}

}  // namespace

PyRef to_python(Date date) {
  if (!load_api()) return {};
  const CivilDate civil = civil_date(date.days);
  if (!check_year(civil.year)) return {};
  return PyRef::steal(PyDate_FromDate(static_cast<int>(civil.year), civil.month, civil.day));
}

PyRef to_python(Time time) {
  if (!load_api()) return {};
  if (time.micros < 0 || time.micros >= kMicrosPerDay) {
    PyErr_SetString(PyExc_ValueError, "24:00:00, the end of the day, is no time that Python has");
    return {};
  }
  const Clock at = clock_from_micros(time.micros);
  const PyRef tz = time.has_zone ? zone(time.offset) : PyRef::borrow(Py_None);
  if (!tz) return {};
  return PyRef::steal(PyDateTimeAPI->Time_FromTime(at.hour, at.minute, at.second, at.micro,
                                                   tz.get(), PyDateTimeAPI->TimeType));
}

PyRef to_python(Timestamp timestamp) {
  if (!load_api()) return {};
  std::int64_t micros = timestamp.micros;
  if (timestamp.has_zone) micros += timestamp.offset * std::int64_t{1'000'000};
  const auto [days, rest] = floor_split(micros, kMicrosPerDay);
  const CivilDate civil = civil_date(days);
  if (!check_year(civil.year)) return {};
  const Clock at = clock_from_micros(rest);
  const PyRef tz = timestamp.has_zone ? zone(timestamp.offset) : PyRef::borrow(Py_None);
  if (!tz) return {};
  return PyRef::steal(PyDateTimeAPI->DateTime_FromDateAndTime(
      static_cast<int>(civil.year), civil.month, civil.day, at.hour, at.minute, at.second, at.micro,
      tz.get(), PyDateTimeAPI->DateTimeType));
}

PyRef to_timedelta(std::int64_t days, std::int64_t micros) {
  if (!load_api()) return {};
  days += micros / kMicrosPerDay;
  micros %= kMicrosPerDay;
  if (std::llabs(days) > 999'999'998) {
    PyErr_SetString(PyExc_OverflowError, "the interval is longer than timedelta holds");
    return {};
  }
  return PyRef::steal(PyDelta_FromDSU(static_cast<int>(days), static_cast<int>(micros / 1'000'000),
                                      static_cast<int>(micros % 1'000'000)));
}

Temporal read_temporal(PyObject* object) {
  Temporal read;
  if (!api_in_use()) return read;
  using Kind = Temporal::Kind;
  bool failed = false;
  if (PyDateTime_Check(object)) {
    read.kind = Kind::kTimestamp;
    const std::int64_t days = days_of_date(object);
    read.timestamp.micros =
        days * kMicrosPerDay +
        micros_of(PyDateTime_DATE_GET_HOUR(object), PyDateTime_DATE_GET_MINUTE(object),
                  PyDateTime_DATE_GET_SECOND(object), PyDateTime_DATE_GET_MICROSECOND(object));
    read.timestamp.has_zone = read_offset(object, read.timestamp.offset, failed);
    if (read.timestamp.has_zone) {
      read.timestamp.micros -= read.timestamp.offset * std::int64_t{1'000'000};
    }
  } else if (PyDate_Check(object)) {
    read.kind = Kind::kDate;
    read.date.days = static_cast<std::int32_t>(days_of_date(object));
  } else if (PyTime_Check(object)) {
    read.kind = Kind::kTime;
    read.time.micros =
        micros_of(PyDateTime_TIME_GET_HOUR(object), PyDateTime_TIME_GET_MINUTE(object),
                  PyDateTime_TIME_GET_SECOND(object), PyDateTime_TIME_GET_MICROSECOND(object));
    read.time.has_zone = read_offset(object, read.time.offset, failed);
  } else if (PyDelta_Check(object)) {
    read.kind = Kind::kDelta;
    read.date.days = PyDateTime_DELTA_GET_DAYS(object);
    read.micros = PyDateTime_DELTA_GET_SECONDS(object) * std::int64_t{1'000'000} +
                  PyDateTime_DELTA_GET_MICROSECONDS(object);
  }
  if (failed) read.kind = Kind::kError;
  return read;
}

}  // namespace mxcp::python
