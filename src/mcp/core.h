// Core: the protocol without sessions. (request, caller) -> one answer, whatever came before.
//
//     auto meta = read_stateless_meta(message);                     // or what the session knows
//     auto exchange = std::make_shared<Exchange>(message, meta, caller, peer, owner, core.setup());
//     core.start(exchange);
//
// The answer leaves through the exchange's peer: over stdio that is the one stream, over HTTP the
// response to that one request.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp/catalog.h"
#include "mcp/exchange.h"
#include "mcp/server.h"
#include "mcp/subscriptions.h"
#include "mcp/tasks.h"

namespace mxcp::mcp {

class Core;
using ExchangePtr = std::shared_ptr<Exchange>;

struct Method {
  std::string_view name;
  // Answers or fails the exchange, exactly once, now or later.
  void (*handle)(Core&, const ExchangePtr&);
  // Ends later than it returns: counts as a running request.
  bool runs = false;
  // Exists only in revisions without a handshake.
  bool stateless_only = false;
};

class Core {
 public:
  Core(ServerOptions options, Backend& backend);

  // nullptr when the revision has no such method. Those of the handshake itself (initialize, ping,
  // logging/setLevel, resources/subscribe and unsubscribe) belong to the session.
  static const Method* find_method(std::string_view name, const Revision& revision);
  // Handles the request by its method, or fails it with -32601.
  void start(const ExchangePtr& exchange);

  const std::shared_ptr<const Setup>& setup() const { return setup_; }
  Backend& backend() { return backend_; }
  std::shared_ptr<const Catalog> catalog() { return catalogs_.current(); }
  Subscriptions& subscriptions() { return subscriptions_; }
  TaskStore& tasks() { return tasks_; }

 private:
  std::shared_ptr<const Setup> setup_;
  Backend& backend_;
  Catalogs catalogs_;
  Subscriptions subscriptions_;
  TaskStore tasks_;
};

// All methods, also those of the handshake.
std::vector<std::string> method_names();
RpcError method_not_found(std::string_view name, const Revision& revision);

// --- the methods, by file -----------------------------------------------------------------------

// discovery.cpp
void discover(Core& core, const ExchangePtr& exchange);
// The `capabilities` object, as JSON text. `tells`: the client can be told of what changes.
std::string capabilities(const Catalog& catalog, const Revision& revision, bool tells = true);

// lists.cpp
void list_tools(Core& core, const ExchangePtr& exchange);
void list_resources(Core& core, const ExchangePtr& exchange);
void list_resource_templates(Core& core, const ExchangePtr& exchange);
void list_prompts(Core& core, const ExchangePtr& exchange);

// tools.cpp
void call_tool(Core& core, const ExchangePtr& exchange);

// resources.cpp
void read_resource(Core& core, const ExchangePtr& exchange);
// The call that reads a resource, on behalf of the exchange.
invoke::Request resource_request(const ExchangePtr& exchange, const Catalog::Resource& resource);
// Beside data that was cut: a second element that says so, for whoever reads. The data stays what
// its type says, and the URI is another one (#truncated), so that nobody takes it for the data.
void append_resource_notice(std::string& out, std::string_view uri, const invoke::Outcome& outcome);
// One element of `contents`, or of an embedded resource.
void append_resource_contents(std::string& out, std::string_view uri,
                              const invoke::Outcome& outcome);

// prompts.cpp
void get_prompt(Core& core, const ExchangePtr& exchange);

// completion.cpp
void complete(Core& core, const ExchangePtr& exchange);

// task_methods.cpp
void get_task(Core& core, const ExchangePtr& exchange);
void update_task(Core& core, const ExchangePtr& exchange);
void cancel_task(Core& core, const ExchangePtr& exchange);
// -32021, because the client does not declare the extension.
RpcError missing_tasks_extension();

// subscriptions.cpp
void listen(Core& core, const ExchangePtr& exchange);

// limit_meta.cpp: about a limit that the call met, if it did

// Of an outcome with a limit: the key of `_meta` and its value.
std::pair<std::string_view, Value> limit_meta(const invoke::Outcome& outcome);
void add_limit_meta(ObjectText& result, const invoke::Outcome& outcome);
// The error of a call that failed.
RpcError call_failed(const invoke::Outcome& outcome);

// --- parameters ---------------------------------------------------------------------------------

// The text of a required parameter; fails the exchange with -32602 and returns nullptr otherwise.
const std::string* required_text(const ExchangePtr& exchange, std::string_view name);
// "'cursor' must be a string, got number"
RpcError wrong_param(std::string_view name, std::string_view expected, const Value* got);
// -32601: the capability is not declared, because the project has none of these.
RpcError nothing_to_serve(std::string_view what);
bool has_resources(const Catalog& catalog);
// "unknown tool 'nope' (did you mean 'note'?)"
RpcError unknown_name(std::string_view what, const std::string& name,
                      const std::vector<std::string>& known);

}  // namespace mxcp::mcp
