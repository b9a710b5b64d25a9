// The open `subscriptions/listen` requests (2026-07-28): who wants to hear of which list.
//
// A subscription is an Exchange that stays open; every message about it carries its id. It ends
// when the client withdraws it, or gracefully by end(), which answers it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mcp/catalog.h"
#include "mcp/exchange.h"
#include "mcp/tasks.h"

namespace mxcp::mcp {

class Subscriptions {
 public:
  // What one client listens to, already reduced to what is served here.
  struct Filter {
    ListChanges lists;
    std::vector<std::string> resources;  // URIs
    std::vector<std::weak_ptr<const Task>> tasks;
  };

  // Acknowledges the filter, the first message about the subscription, and keeps it. How the tasks
  // stand follows at once, so that no change can be missed between their beginning and this.
  void add(const std::shared_ptr<Exchange>& exchange, Filter filter);
  void notify(const ListChanges& changes);
  void notify_resources_updated();
  void notify_task(const Task& task);
  // Answers it when it is one of ours and still open.
  void end(const std::shared_ptr<Exchange>& exchange);
  void end_all();
  std::size_t size() const;

 private:
  struct Entry {
    std::weak_ptr<Exchange> exchange;
    Filter filter;
  };
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace mxcp::mcp
