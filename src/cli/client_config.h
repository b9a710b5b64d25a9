// The entry for this project in the configuration of an MCP client, ready to paste
// (mxcp serve --print-config, mxcp init).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace mxcp::cli {

// How a client reaches the project: by starting it (when url is empty), or at a URL.
struct ClientEntry {
  std::string name;
  fs::path folder;
  std::vector<std::string> command;              // absolute; with its arguments
  std::map<std::string, std::string> variables;  // of the environment
  std::string url;
  bool sse = false;  // the URL speaks HTTP+SSE of 2024-11-05
};

// "claude-desktop", "cursor" ...
std::vector<std::string> client_names();
// Where the client looks for it, for people.
std::string client_config_place(const std::string& client);
// JSON, or TOML for Codex, with a newline at its end. `client` is one of client_names().
std::string client_config(const std::string& client, const ClientEntry& entry);

// The command that was started as `program` (argv[0]), as another program can start it from
// anywhere: absolute, also where it was found in PATH or run as a module of Python.
std::vector<std::string> absolute_command(const std::string& program);

}  // namespace mxcp::cli
