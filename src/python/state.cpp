#include "python/state.h"

namespace mxcp::python {
namespace {

constexpr const char* kCapsuleName = "mxcp.call";

using CallPointer = std::shared_ptr<const invoke::Call>;

PyRef to_capsule(const CallPointer& call) {
  auto* owned = new CallPointer(call);
  PyRef capsule = PyRef::steal(PyCapsule_New(owned, kCapsuleName, [](PyObject* self) {
    delete static_cast<CallPointer*>(PyCapsule_GetPointer(self, kCapsuleName));
  }));
  if (!capsule) delete owned;
  return capsule;
}

}  // namespace

State& state() {
  // Never destroyed: the interpreter may outlive every static object, or be gone before them.
  static State* const instance = new State;
  return *instance;
}

CallPointer current_call() {
  PyObject* variable = state().call_variable.get();
  PyObject* found = nullptr;
  if (variable == nullptr || PyContextVar_Get(variable, nullptr, &found) != 0) {
    PyErr_Clear();
    return nullptr;
  }
  const PyRef capsule = PyRef::steal(found);
  if (!capsule || !PyCapsule_IsValid(capsule.get(), kCapsuleName)) return nullptr;
  return *static_cast<CallPointer*>(PyCapsule_GetPointer(capsule.get(), kCapsuleName));
}

CallContext::CallContext(const CallPointer& call) {
  State& global = state();
  if (!global.call_variable) {
    global.call_variable = PyRef::steal(PyContextVar_New("mxcp_call", nullptr));
    if (!global.call_variable) return;
  }
  context_ = PyRef::steal(global.base_context ? PyContext_Copy(global.base_context.get())
                                              : PyContext_CopyCurrent());
  if (!context_ || PyContext_Enter(context_.get()) != 0) return;
  entered_ = true;
  if (call == nullptr) return;
  const PyRef capsule = to_capsule(call);
  const PyRef token =
      PyRef::steal(capsule ? PyContextVar_Set(global.call_variable.get(), capsule.get()) : nullptr);
  if (!token) {
    PyContext_Exit(context_.get());
    entered_ = false;
  }
}

CallContext::~CallContext() {
  if (entered_) PyContext_Exit(context_.get());
}

std::shared_ptr<const project::Project> current_project() {
  if (const CallPointer call = current_call()) return call->project;
  return state().project;
}

}  // namespace mxcp::python
