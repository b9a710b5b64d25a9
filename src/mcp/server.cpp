#include "mcp/server.h"

#include <mutex>
#include <unordered_set>
#include <utility>

#include "mcp/session.h"

namespace mxcp::mcp {

struct Server::Impl {
  Impl(ServerOptions options, Backend& backend)
      : core(std::move(options), backend), told(core.catalog()) {
    if (!told->awaits_types()) return;
    // No client sees the list of tools before it is complete, see list_tools.
    backend.when_ready(std::make_shared<CancelToken>(), [this, first = told](const Status& ready) {
      if (!ready.ok()) return;
      auto complete = core.catalog();
      const std::lock_guard lock(mutex);
      if (told == first) told = std::move(complete);
    });
  }

  Core core;
  std::mutex mutex;
  std::unordered_set<std::shared_ptr<Session>> sessions;
  // What clients have been told of: the catalog at the start, then at each announcement.
  std::shared_ptr<const Catalog> told;
};

Server::Server(ServerOptions options, Backend& backend)
    : impl_(std::make_unique<Impl>(std::move(options), backend)) {}

Server::~Server() = default;

std::shared_ptr<Session> Server::open_session(std::shared_ptr<Peer> peer, Caller caller) {
  auto session = std::make_shared<Session>(impl_->core, std::move(peer), std::move(caller));
  const std::lock_guard lock(impl_->mutex);
  impl_->sessions.insert(session);
  return session;
}

void Server::receive(const std::shared_ptr<Session>& session, std::string_view message) {
  session->receive(message);
}

void Server::receive_oversized(const std::shared_ptr<Session>& session,
                               const std::optional<Value>& id) {
  session->receive_oversized(id ? RequestId::from(*id) : std::nullopt);
}

void Server::close(const std::shared_ptr<Session>& session) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->sessions.erase(session);
  }
  session->close(false);
}

void Server::end(const std::shared_ptr<Session>& session) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->sessions.erase(session);
  }
  session->close(true);
}

void Server::drain(const std::shared_ptr<Session>& session, Instant deadline) {
  end_questions();
  session->drain(deadline);
}

void Server::present(ServerInfo info) {
  impl_->core.setup()->present(std::move(info));
}

void Server::notify_list_changed() {
  auto now = impl_->core.catalog();
  std::shared_ptr<const Catalog> before;
  std::unordered_set<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(impl_->mutex);
    before = std::exchange(impl_->told, now);
    sessions = impl_->sessions;
  }
  if (before == now) return;
  const ListChanges changes = changes_between(*before, *now);
  if (!changes.any()) return;
  for (const auto& session : sessions) session->notify_list_changed(changes);
  impl_->core.subscriptions().notify(changes);
}

void Server::notify_resources_updated() {
  std::unordered_set<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(impl_->mutex);
    sessions = impl_->sessions;
  }
  for (const auto& session : sessions) session->notify_resources_updated();
  impl_->core.subscriptions().notify_resources_updated();
}

void Server::end_questions() {
  impl_->core.tasks().end_questions();
}

bool Server::drain_tasks(Instant deadline) {
  end_questions();
  return impl_->core.tasks().wait_idle(deadline);
}

Core& Server::core() {
  return impl_->core;
}

}  // namespace mxcp::mcp
