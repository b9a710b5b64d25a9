#include "mcp/server.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "mcp/session.h"

namespace mxcp::mcp {

struct Server::Impl {
  Impl(ServerOptions options, Backend& backend) : core(std::move(options), backend) {}

  Core core;
  std::mutex mutex;
  std::vector<std::shared_ptr<Session>> sessions;
  // What clients have been told of: the catalog when the first came, then at each announcement.
  std::shared_ptr<const Catalog> told;
};

Server::Server(ServerOptions options, Backend& backend)
    : impl_(std::make_unique<Impl>(std::move(options), backend)) {}

Server::~Server() = default;

std::shared_ptr<Session> Server::open_session(std::shared_ptr<Peer> peer, Caller caller) {
  auto catalog = impl_->core.catalog();
  auto session = std::make_shared<Session>(impl_->core, std::move(peer), std::move(caller));
  const std::lock_guard lock(impl_->mutex);
  if (impl_->told == nullptr) impl_->told = std::move(catalog);
  impl_->sessions.push_back(session);
  return session;
}

void Server::receive(const std::shared_ptr<Session>& session, std::string_view message) {
  session->receive(message);
}

void Server::receive_oversized(const std::shared_ptr<Session>& session) {
  session->receive_oversized();
}

void Server::close(const std::shared_ptr<Session>& session) {
  {
    const std::lock_guard lock(impl_->mutex);
    std::erase(impl_->sessions, session);
  }
  session->close();
}

void Server::drain(const std::shared_ptr<Session>& session, Instant deadline) {
  session->drain(deadline);
}

void Server::notify_list_changed() {
  auto now = impl_->core.catalog();
  std::shared_ptr<const Catalog> before;
  std::vector<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(impl_->mutex);
    before = std::exchange(impl_->told, now);
    sessions = impl_->sessions;
  }
  if (before == nullptr || before == now) return;
  const ListChanges changes = changes_between(*before, *now);
  if (!changes.any()) return;
  for (const auto& session : sessions) session->notify_list_changed(changes);
  impl_->core.subscriptions().notify(changes);
}

}  // namespace mxcp::mcp
