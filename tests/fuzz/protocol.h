// A server over a small project, whose calls answer at once with their arguments: what the two
// protocol programs feed.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/files.h"
#include "base/json.h"
#include "mcp/server.h"
#include "project/project.h"
#include "verdict.h"

namespace mxcp::fuzz {

inline std::shared_ptr<const project::Project> small_project() {
  std::string root = (fs::temp_directory_path() / "mxcp-fuzz-XXXXXX").string();
  if (::mkdtemp(root.data()) == nullptr) std::abort();
  const auto write = [&](const char* path, std::string_view text) {
    fs::create_directories((fs::path(root) / path).parent_path());
    if (!write_file(fs::path(root) / path, std::string(text)).ok()) std::abort();
  };
  write("mxcp-site.yml", "mxcp: 1\nproject: demo\nprofile: default\n");
  write("tools/echo.yml", R"(mxcp: 1
tool:
  name: echo
  description: Gives its arguments back
  parameters:
    - {name: text, type: string, default: a}
    - {name: number, type: integer, minimum: 0, default: 1}
  source: {code: "SELECT $text, $number"}
)");
  write("resources/user.yml", R"(mxcp: 1
resource:
  uri: users://{id}/profile
  parameters:
    - {name: id, type: integer, examples: [1, 12]}
  source: {code: SELECT $id}
)");
  write("prompts/greet.yml", R"(mxcp: 1
prompt:
  name: greet
  parameters:
    - {name: who, type: string, enum: [you, me]}
  messages:
    - {role: user, prompt: "Hello {{ who }}"}
)");
  project::LoadOptions options;
  options.start = root;
  auto loaded = project::Project::load(options);
  fs::remove_all(root);
  if (!loaded.ok()) std::abort();
  return *std::move(loaded);
}

class EchoBackend final : public mcp::Backend {
 public:
  std::shared_ptr<const project::Project> project() const override { return project_; }
  void call(invoke::Request request, invoke::Done done) override {
    invoke::Outcome outcome;
    outcome.endpoint = project_->find(request.kind, request.id);
    if (!outcome.endpoint) {
      outcome.error = project_->not_found(request.kind, request.id);
    } else if (auto bound = outcome.endpoint->parameters.bind(request.arguments, request.source);
               !bound.ok()) {
      outcome.error = std::move(bound).error();
    } else {
      outcome.json = request.kind == project::EndpointKind::kPrompt
                         ? R"([{"role":"user","prompt":"Hello","type":"text"}])"
                         : to_json(request.arguments);
    }
    done(std::move(outcome));
  }

 private:
  std::shared_ptr<const project::Project> project_ = small_project();
};

inline mcp::ServerOptions server_options() {
  mcp::ServerOptions options;
  options.info = {.name = "demo", .title = "Demo", .version = "1", .instructions = ""};
  return options;
}

// Everything the server says is one line of JSON-RPC: a message, or a batch of them.
inline std::string wrong_in(const std::string& message) {
  if (message.find('\n') != std::string::npos) return "a message of two lines: " + message;
  const auto value = parse_json(message);
  if (!value.ok()) return "invalid JSON: " + message;
  const auto is_message = [](const Value& item) {
    const Value* const version = item.find("jsonrpc");
    return version != nullptr && version->is_string() && *version->as_string() == "2.0";
  };
  if (const Array* const batch = value->as_array()) {
    for (const Value& item : *batch) {
      if (!is_message(item)) return "not JSON-RPC in a batch: " + message;
    }
    return batch->empty() ? "an empty batch" : "";
  }
  return is_message(*value) ? "" : "not JSON-RPC: " + message;
}

}  // namespace mxcp::fuzz
