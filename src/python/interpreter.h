// The interpreter as a whole, for the program around it.
#pragma once

#include <string>

namespace mxcp::python {

// "3.11.2"
std::string python_version();
// sys.executable: the interpreter of the virtual environment, where there is one. Takes the GIL.
std::string python_program();

// What the end of a Python program does, as far as user code can notice: waits a little for its
// threads, runs atexit handlers, flushes sys.stdout and sys.stderr. Once; later calls do nothing.
// Without user code it costs next to nothing. Without the GIL.
void finish_interpreter();

}  // namespace mxcp::python
