// What a command's function gets.
#pragma once

#include <memory>

#include "cli/command_line.h"
#include "cli/output.h"
#include "project/project.h"
#include "runtime/runtime.h"

namespace mxcp::cli {

struct Context {
  std::string program;  // as it was called, for files that have to name it
  const Command& command;
  const CommandLine& line;
  Output& output;

  project::LoadOptions load_options() const;
  runtime::RuntimeOptions runtime_options() const;
  // The project around the working directory; also turns on the log file it asks for, and logs its
  // warnings, those about files that were skipped only if asked to.
  Result<std::shared_ptr<const project::Project>> load_project(bool log_skipped = true) const;
  // Output::fail, with the command's usage before a wrong command line.
  int fail(const Error& error) const;
};

}  // namespace mxcp::cli
