#include "cli/client_config.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "cli/parts.h"

namespace mxcp::cli {
namespace {

// Whether a client starts a server in the folder that its entry names; the others go there through
// a shell, since they start servers in a folder of their own.
enum class Folder { kShell, kCwd };
enum class Form {
  kMcpServers,  // {"mcpServers": {name: ...}}
  kVsCode,      // {"servers": {name: {"type": ...}}}
  kCodex,       // TOML
};

struct Client {
  std::string_view name;
  std::string_view place;
  Form form;
  Folder folder;
  bool typed;            // entries say "type"
  std::string_view url;  // its key; "" where entries can only start a program
};

constexpr std::array<Client, 6> kClients = {{
    {"claude-desktop", "claude_desktop_config.json (Settings > Developer > Edit Config)",
     Form::kMcpServers, Folder::kShell, false, ""},
    {"claude-code", ".mcp.json in the folder you work in", Form::kMcpServers, Folder::kShell, true,
     "url"},
    {"cursor", "~/.cursor/mcp.json, or .cursor/mcp.json in the folder you work in",
     Form::kMcpServers, Folder::kShell, false, "url"},
    {"vscode", ".vscode/mcp.json, or 'MCP: Open User Configuration'", Form::kVsCode, Folder::kCwd,
     true, "url"},
    {"codex", "~/.codex/config.toml", Form::kCodex, Folder::kCwd, false, "url"},
    {"windsurf", "~/.codeium/windsurf/mcp_config.json", Form::kMcpServers, Folder::kShell, false,
     "serverUrl"},
}};

const Client& client_of(const std::string& name) {
  return *std::find_if(kClients.begin(), kClients.end(),
                       [&](const Client& client) { return client.name == name; });
}

std::vector<std::string> command_of(const Client& client, const ClientEntry& entry) {
  if (!entry.url.empty()) {
    // The usual bridge for those that only start programs.
    std::vector<std::string> bridge = {"npx", "-y", "mcp-remote", entry.url};
    if (entry.sse) bridge.insert(bridge.end(), {"--transport", "sse-only"});
    if (entry.url.starts_with("http://")) bridge.push_back("--allow-http");
    return bridge;
  }
  if (client.folder == Folder::kCwd) return entry.command;
  std::vector<std::string> shell = {"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"",
                                    entry.folder.string()};
  shell.insert(shell.end(), entry.command.begin(), entry.command.end());
  return shell;
}

std::string json_config(const Client& client, const ClientEntry& entry) {
  Object server;
  if (!entry.url.empty() && !client.url.empty()) {
    if (client.typed) server.add("type", entry.sse ? "sse" : "http");
    server.add(std::string(client.url), entry.url);
  } else {
    const auto command = command_of(client, entry);
    if (client.typed) server.add("type", "stdio");
    server.add("command", command.front());
    Array args;
    for (std::size_t i = 1; i < command.size(); ++i) args.push_back(command[i]);
    server.add("args", std::move(args));
    if (entry.url.empty() && client.folder == Folder::kCwd) {
      server.add("cwd", entry.folder.string());
    }
    if (entry.url.empty() && !entry.variables.empty()) {
      Object variables;
      for (const auto& [name, value] : entry.variables) variables.add(name, value);
      server.add("env", std::move(variables));
    }
  }
  Object servers;
  servers.add(entry.name, std::move(server));
  Object config;
  config.add(client.form == Form::kVsCode ? "servers" : "mcpServers", std::move(servers));
  return to_pretty_json(std::move(config)) + '\n';
}

// A basic string of TOML is one of JSON, but for DEL.
std::string toml_string(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  for (std::size_t at = 0; (at = out.find('\x7f', at)) != std::string::npos;) {
    out.replace(at, 1, "\\u007f");
  }
  return out;
}

std::string toml_key(const std::string& name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? name : toml_string(name);
}

std::string toml_config(const Client& client, const ClientEntry& entry) {
  std::string out = "[mcp_servers." + toml_key(entry.name) + "]\n";
  if (!entry.url.empty()) return out + "url = " + toml_string(entry.url) + '\n';
  const auto command = command_of(client, entry);
  out += "command = " + toml_string(command.front()) + "\nargs = [";
  for (std::size_t i = 1; i < command.size(); ++i) {
    out += (i > 1 ? ", " : "") + toml_string(command[i]);
  }
  out += "]\ncwd = " + toml_string(entry.folder.string()) + '\n';
  if (!entry.variables.empty()) {
    out += "\n[mcp_servers." + toml_key(entry.name) + ".env]\n";
    for (const auto& [name, value] : entry.variables) {
      out += toml_key(name) + " = " + toml_string(value) + '\n';
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> client_names() {
  std::vector<std::string> names;
  names.reserve(std::size(kClients));
  for (const Client& client : kClients) names.emplace_back(client.name);
  return names;
}

std::string client_config_place(const std::string& client) {
  return std::string(client_of(client).place);
}

std::string client_config(const std::string& name, const ClientEntry& entry) {
  const Client& client = client_of(name);
  return client.form == Form::kCodex ? toml_config(client, entry) : json_config(client, entry);
}

std::vector<std::string> absolute_command(const std::string& program) {
  std::error_code failed;
  if (fs::path(program).filename() == "__main__.py") {
    return {python_program(), "-m", "mxcp"};
  }
  if (program.find('/') != std::string::npos) return {fs::absolute(program, failed).string()};
  for (const std::string& folder : split(environment("PATH"), ':')) {
    const fs::path candidate = fs::path(folder.empty() ? "." : folder) / program;
    if (::access(candidate.c_str(), X_OK) == 0) return {fs::absolute(candidate, failed).string()};
  }
  return {program};
}

}  // namespace mxcp::cli
