#include "mcp/core.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mxcp::mcp {
namespace {

constexpr std::array<Method, 13> kMethods = {{
    {.name = "tools/call", .handle = call_tool, .runs = true},
    {.name = "tools/list", .handle = list_tools, .runs = true},
    {.name = "resources/read", .handle = read_resource, .runs = true},
    {.name = "resources/list", .handle = list_resources},
    {.name = "resources/templates/list", .handle = list_resource_templates},
    {.name = "prompts/get", .handle = get_prompt, .runs = true},
    {.name = "prompts/list", .handle = list_prompts},
    {.name = "completion/complete", .handle = complete, .runs = true},
    {.name = "server/discover", .handle = discover, .stateless_only = true},
    {.name = "tasks/get", .handle = get_task, .stateless_only = true},
    {.name = "tasks/update", .handle = update_task, .stateless_only = true},
    {.name = "tasks/cancel", .handle = cancel_task, .stateless_only = true},
    {.name = "subscriptions/listen", .handle = listen, .runs = true, .stateless_only = true},
}};

// Methods that a client of the handshake revisions may still send.
constexpr std::array<std::string_view, 5> kRemoved = {
    "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"};

}  // namespace

Core::Core(ServerOptions options, Backend& backend)
    : setup_(std::make_shared<const Setup>(std::move(options))),
      backend_(backend),
      catalogs_(backend),
      tasks_(setup_->options, [this](const Task& task) { subscriptions_.notify_task(task); }) {}

const Method* Core::find_method(std::string_view name, const Revision& revision) {
  const auto it = std::find_if(kMethods.begin(), kMethods.end(),
                               [&](const Method& method) { return method.name == name; });
  if (it == kMethods.end() || (it->stateless_only && !revision.stateless)) return nullptr;
  return &*it;
}

void Core::start(const ExchangePtr& exchange) {
  const Method* const method = find_method(exchange->method(), exchange->revision());
  if (method == nullptr) {
    return exchange->fail(method_not_found(exchange->method(), exchange->revision()));
  }
  if (const auto error = exchange->read_input()) return exchange->fail(*error);
  method->handle(*this, exchange);
}

std::vector<std::string> method_names() {
  std::vector<std::string> names(kRemoved.begin(), kRemoved.end());
  for (const Method& method : kMethods) names.emplace_back(method.name);
  return names;
}

RpcError method_not_found(std::string_view name, const Revision& revision) {
  std::string message = "method '" + shorten(name, 64) + "' ";
  if (revision.stateless && std::find(kRemoved.begin(), kRemoved.end(), name) != kRemoved.end()) {
    message += "was removed in " + std::string(revision.name);
  } else {
    message += "is not supported";
  }
  return {kMethodNotFound, std::move(message)};
}

const std::string* required_text(const ExchangePtr& exchange, std::string_view name) {
  const Value* const value = exchange->params().find(name);
  if (value != nullptr && value->is_string()) return value->as_string();
  exchange->fail(wrong_param(name, "a string", value));
  return nullptr;
}

RpcError wrong_param(std::string_view name, std::string_view expected, const Value* got) {
  std::string message = "'" + std::string(name) + "' ";
  if (got == nullptr) {
    message += "is missing; expected " + std::string(expected);
  } else {
    message += "must be " + std::string(expected) + ", got " + std::string(got->kind_name());
  }
  return {kInvalidParams, std::move(message)};
}

RpcError nothing_to_serve(std::string_view what) {
  return {kMethodNotFound, "this server has no " + std::string(what)};
}

bool has_resources(const Catalog& catalog) {
  return catalog.has(ListKind::kResources) || catalog.has(ListKind::kTemplates);
}

RpcError unknown_name(std::string_view what, const std::string& name,
                      const std::vector<std::string>& known) {
  std::string message = "unknown " + std::string(what) + " '" + shorten(name, 128) + "'";
  // Nothing is near a name that long, and comparing costs time.
  const std::string hint = name.size() <= 256 ? suggest(name, known) : "";
  if (!hint.empty()) message += " (" + hint + ")";
  return {kInvalidParams, std::move(message)};
}

}  // namespace mxcp::mcp
