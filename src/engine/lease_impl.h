// The inside of a Lease: one connection of the pool, given back at the end.
#pragma once

#include <memory>
#include <utility>

#include "engine/connection_pool.h"

namespace mxcp::engine {

struct Lease::Impl {
  Impl(std::shared_ptr<ConnectionPool> of, std::unique_ptr<Connection> taken)
      : pool(std::move(of)), connection(std::move(taken)) {}
  ~Impl() { pool->give_back(std::move(connection)); }

  std::shared_ptr<ConnectionPool> pool;
  std::unique_ptr<Connection> connection;
};

}  // namespace mxcp::engine
