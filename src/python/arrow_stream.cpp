#include "python/arrow_stream.h"

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "engine/arrow.h"

namespace mxcp::python {
namespace {

using engine::c::ArrowArray;
using engine::c::ArrowArrayStream;
using engine::c::ArrowSchema;

constexpr const char* kStreamName = "arrow_array_stream";

struct Stream {
  std::shared_ptr<HeldQuery> held;
  std::string error;
};

Stream& stream_of(ArrowArrayStream* stream) {
  return *static_cast<Stream*>(stream->private_data);
}

// Runs `work` on the open query. The reader may be a thread of Arrow's without the GIL, or one with
// it: the query may need it elsewhere, for a function of a plugin.
template <class Work>
int with_query(ArrowArrayStream* arrow, Work work) {
  std::optional<GilRelease> released;
  if (PyGILState_Check() != 0) released.emplace();
  Stream& stream = stream_of(arrow);
  const HeldLock lock(*stream.held);
  if (!lock) {
    stream.error = HeldLock::kAtWork;
    return EBUSY;
  }
  Query& query = stream.held->query;
  if (!query.is_open()) {
    stream.error = "the query was closed, or ended by a reload";
    return EINVAL;
  }
  const Status done = work(query);
  if (done.ok()) return 0;
  stream.error = done.error().text();
  return EIO;
}

int get_schema(ArrowArrayStream* arrow, ArrowSchema* out) {
  return with_query(arrow, [&](Query& query) { return query.rows().arrow_schema(out); });
}

int get_next(ArrowArrayStream* arrow, ArrowArray* out) {
  return with_query(arrow, [&](Query& query) -> Status {
    MXCP_TRY(const bool more, query.rows().next_arrow(out));
    if (!more) *out = {};
    return {};
  });
}

const char* get_last_error(ArrowArrayStream* arrow) {
  return stream_of(arrow).error.c_str();
}

void release(ArrowArrayStream* arrow) {
  std::optional<GilRelease> released;
  if (PyGILState_Check() != 0) released.emplace();
  delete static_cast<Stream*>(arrow->private_data);
  arrow->private_data = nullptr;
  arrow->release = nullptr;
}

void destroy(PyObject* capsule) {
  auto* const arrow = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, kStreamName));
  if (arrow->release != nullptr) arrow->release(arrow);
  delete arrow;
}

}  // namespace

PyRef arrow_capsule(std::shared_ptr<HeldQuery> held) {
  auto* const arrow = new ArrowArrayStream{get_schema, get_next, get_last_error, release,
                                           new Stream{std::move(held), {}}};
  PyRef capsule = PyRef::steal(PyCapsule_New(arrow, kStreamName, destroy));
  if (!capsule) {
    release(arrow);
    delete arrow;
  }
  return capsule;
}

}  // namespace mxcp::python
