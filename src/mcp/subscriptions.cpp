#include "mcp/subscriptions.h"

#include <algorithm>
#include <set>
#include <variant>

#include "base/json.h"
#include "mcp/core.h"

namespace mxcp::mcp {
namespace {

// Resources, and tasks, that one subscription may name; more are neither honoured nor looked up.
constexpr std::size_t kMaxNames = 1000;
constexpr std::size_t kMaxUri = 8192;  // bytes

// The texts of a list, each once, without those past kMaxNames. The error when it is no such list.
std::variant<std::vector<std::string>, RpcError> read_names(const Value& wanted,
                                                            std::string_view key) {
  std::vector<std::string> names;
  const Value* const given = wanted.find(key);
  if (given == nullptr || given->is_null()) return names;
  const Array* const list = given->as_array();
  if (list == nullptr) return wrong_param(key, "a list", given);
  std::set<std::string_view> seen;
  for (const Value& name : *list) {
    if (!name.is_string()) return wrong_param(key, "a list of strings", given);
    if (names.size() >= kMaxNames || !seen.insert(*name.as_string()).second) continue;
    names.push_back(*name.as_string());
  }
  return names;
}

// {"_meta":{...subscriptionId...}<rest>}
std::string tagged(const Exchange& exchange, std::string_view rest) {
  std::string out = R"({"_meta":{"io.modelcontextprotocol/subscriptionId":)";
  out += exchange.id().json;
  out += '}';
  out += rest;
  out += '}';
  return out;
}

std::string acknowledged(const Subscriptions::Filter& given) {
  const ListChanges& filter = given.lists;
  Object honoured;
  if (filter.tools) honoured.add("toolsListChanged", true);
  if (filter.prompts) honoured.add("promptsListChanged", true);
  if (filter.resources) honoured.add("resourcesListChanged", true);
  if (!given.resources.empty()) {
    Array uris(given.resources.begin(), given.resources.end());
    honoured.add("resourceSubscriptions", std::move(uris));
  }
  if (!given.tasks.empty()) {
    Array ids;
    for (const auto& one : given.tasks) {
      if (const auto task = one.lock()) ids.emplace_back(task->id());
    }
    honoured.add("taskIds", std::move(ids));
  }
  return R"(,"notifications":)" + to_json(honoured);
}

void tell_of(Exchange& exchange, const Task& task) {
  exchange.notify("notifications/tasks", tagged(exchange, ',' + task.details()));
}

void answer_end(const std::shared_ptr<Exchange>& exchange) {
  Reply reply(*exchange);
  reply.subscription(exchange->id());
  exchange->answer(std::move(reply));
}

}  // namespace

void Subscriptions::add(const std::shared_ptr<Exchange>& exchange, Filter filter) {
  // Under the lock, so that no change falls between the acknowledgement and the entry.
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const Entry& entry) {
    const auto open = entry.exchange.lock();
    return open == nullptr || !open->is_open();
  });
  exchange->notify("notifications/subscriptions/acknowledged",
                   tagged(*exchange, acknowledged(filter)));
  for (const auto& one : filter.tasks) {
    if (const auto task = one.lock()) tell_of(*exchange, *task);
  }
  entries_.push_back({exchange, std::move(filter)});
}

void Subscriptions::notify(const ListChanges& changes) {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    const auto exchange = entry.exchange.lock();
    if (exchange == nullptr) continue;
    const std::string params = tagged(*exchange, "");
    const auto tell = [&](bool wanted, bool changed, std::string_view method) {
      if (wanted && changed) exchange->notify(method, params);
    };
    tell(entry.filter.lists.tools, changes.tools, "notifications/tools/list_changed");
    tell(entry.filter.lists.prompts, changes.prompts, "notifications/prompts/list_changed");
    tell(entry.filter.lists.resources, changes.resources, "notifications/resources/list_changed");
  }
}

void Subscriptions::notify_resources_updated() {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    const auto exchange = entry.exchange.lock();
    if (exchange == nullptr) continue;
    for (const std::string& uri : entry.filter.resources) {
      exchange->notify("notifications/resources/updated",
                       tagged(*exchange, ",\"uri\":" + to_json(uri)));
    }
  }
}

void Subscriptions::notify_task(const Task& task) {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    const auto& tasks = entry.filter.tasks;
    const bool wanted = std::any_of(tasks.begin(), tasks.end(),
                                    [&](const auto& one) { return one.lock().get() == &task; });
    const auto exchange = wanted ? entry.exchange.lock() : nullptr;
    if (exchange != nullptr) tell_of(*exchange, task);
  }
}

void Subscriptions::end(const std::shared_ptr<Exchange>& exchange) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.exchange.lock() == exchange;
    });
    if (it == entries_.end()) return;
    entries_.erase(it);
  }
  answer_end(exchange);
}

void Subscriptions::end_all() {
  std::vector<Entry> entries;
  {
    const std::lock_guard lock(mutex_);
    entries.swap(entries_);
  }
  for (const Entry& entry : entries) {
    if (const auto exchange = entry.exchange.lock()) answer_end(exchange);
  }
}

std::size_t Subscriptions::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
        const auto exchange = entry.exchange.lock();
        return exchange != nullptr && exchange->is_open();
      }));
}

void listen(Core& core, const ExchangePtr& exchange) {
  const Value* const wanted = exchange->params().find("notifications");
  if (wanted == nullptr || !wanted->is_object()) {
    return exchange->fail(wrong_param("notifications", "an object", wanted));
  }
  std::optional<RpcError> error;
  const auto asks_for = [&](std::string_view key) {
    const Value* const flag = wanted->find(key);
    if (flag == nullptr || flag->is_null()) return false;
    if (flag->as_bool() == nullptr) error = wrong_param(key, "true or false", flag);
    return flag->as_bool() != nullptr && *flag->as_bool();
  };
  const auto catalog = core.catalog();
  // What is not declared as a capability is not honoured either.
  Subscriptions::Filter filter;
  filter.lists.tools = asks_for("toolsListChanged");
  filter.lists.prompts = asks_for("promptsListChanged") && catalog->has(ListKind::kPrompts);
  filter.lists.resources = asks_for("resourcesListChanged") && has_resources(*catalog);
  if (error) return exchange->fail(*error);
  const auto uris = read_names(*wanted, "resourceSubscriptions");
  if (const RpcError* const wrong = std::get_if<RpcError>(&uris)) return exchange->fail(*wrong);
  for (const std::string& uri : *std::get_if<0>(&uris)) {
    if (uri.size() <= kMaxUri && catalog->resolve(uri)) filter.resources.push_back(uri);
  }
  const Value* const tasks = wanted->find("taskIds");
  if (tasks != nullptr && !tasks->is_null() && !exchange->declares(kTasksExtension)) {
    return exchange->fail(missing_tasks_extension());
  }
  const auto ids = read_names(*wanted, "taskIds");
  if (const RpcError* const wrong = std::get_if<RpcError>(&ids)) return exchange->fail(*wrong);
  for (const std::string& id : *std::get_if<0>(&ids)) {
    // Others' tasks are as unknown as those that never were.
    if (auto task = core.tasks().find(id, exchange->caller())) filter.tasks.emplace_back(task);
  }
  core.subscriptions().add(exchange, std::move(filter));
}

}  // namespace mxcp::mcp
