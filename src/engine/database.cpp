#include "engine/database.h"

#include <utility>

#include "engine/connection_pool.h"
#include "engine/lease_impl.h"
#include "engine/library.h"

namespace mxcp::engine {

struct Database::Impl {
  std::shared_ptr<ConnectionPool> pool;
};

Database::Database(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Database>> Database::open(DatabaseOptions options) {
  MXCP_TRY(std::unique_ptr<Instance> instance, Instance::open(options));
  auto impl = std::make_shared<Impl>();
  impl->pool = std::make_shared<ConnectionPool>(std::move(options), std::move(instance));
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

bool Database::close(Instant deadline) {
  return impl_->pool->close(deadline);
}

Database::~Database() {
  if (impl_) impl_->pool->close(Clock::system().now());
}

Result<Lease> Database::lease(Instant deadline, CancelToken* cancel, bool nested) {
  MXCP_TRY(std::unique_ptr<Connection> connection, impl_->pool->take(deadline, cancel, nested));
  return Lease(std::make_unique<Lease::Impl>(impl_->pool, std::move(connection)));
}

Status Database::add_functions(const ScalarFunctions& functions) {
  if (functions.empty()) return {};
  return impl_->pool->add_functions(functions);
}

bool Database::is_managed(const fs::path& path) const {
  return impl_->pool->is_managed(path);
}
const DatabaseOptions& Database::options() const {
  return impl_->pool->options();
}
std::string Database::version() const {
  return Library::loaded().library_version();
}
Database::Stats Database::stats() const {
  return impl_->pool->stats();
}

}  // namespace mxcp::engine
