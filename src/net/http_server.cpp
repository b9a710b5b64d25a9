#include "net/http_server.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "base/log.h"
#include "net/http_connection.h"

namespace mxcp::net {
namespace {

namespace asio = boost::asio;

constexpr int kBacklog = 1024;
constexpr std::size_t kMaxThreads = 8;
// Connections that may be told that there is no place, beyond those that have one.
constexpr std::size_t kTurnedAway = 64;
constexpr std::chrono::milliseconds kSweepEvery{500};
constexpr std::chrono::milliseconds kLookEvery{50};     // at streams that may end now
constexpr std::chrono::milliseconds kAcceptPause{100};  // when there are no descriptors left
constexpr std::chrono::minutes kComplainEvery{1};

std::string last_error() {
  return std::strerror(errno);
}

// Without blocking, and not for child processes.
int open_socket(int family, int protocol) {
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

void set_option(int fd, int level, int name) {
  const int on = 1;
  ::setsockopt(fd, level, name, &on, sizeof on);
}

int port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

Error address_in_use(const std::string& where) {
  return {Code::kIo, where + " is in use by another process", {}, "choose another with --port"};
}

// Each client needs a descriptor; the usual soft limit is 1024. How many clients there may be: the
// database, modules and files need some, too.
std::size_t raise_descriptor_limit(std::size_t wanted) {
  constexpr rlim_t kOthers = 512;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = static_cast<rlim_t>(wanted) + kOthers;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? needed : std::min(needed, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed) return wanted;
  const rlim_t left = limit.rlim_cur - std::min(kOthers, limit.rlim_cur / 2);
  const std::size_t most = std::min(wanted, static_cast<std::size_t>(left));
  if (most < wanted) {
    log::warning(
        "http",
        "at most {} connections, since the process may have only {} descriptors (ulimit -n)", most,
        static_cast<std::size_t>(limit.rlim_cur));
  }
  return most;
}

}  // namespace

struct HttpServer::Impl {
  // One thread and its connections.
  struct Shard {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    asio::steady_timer timer{io};
    std::unordered_map<HttpConnection*, std::shared_ptr<HttpConnection>> connections;
    std::thread thread;
  };
  struct Listener {
    Listener(asio::io_context& io, int socket) : fd(socket), socket(io, socket), pause(io) {}
    const int fd;
    asio::posix::stream_descriptor socket;
    asio::steady_timer pause;
  };

  Impl(HttpOptions options, mcp::HttpHandler& handler, HttpPages pages)
      : service(std::move(options), handler, std::move(pages)) {}

  Status listen();
  Status listen_on_address(const std::string& host, int port);
  Status listen_on_path();
  void remove_socket_file();
  Status take(int fd, const sockaddr* address, socklen_t size, const std::string& where);
  void accept(Listener& listener);
  void accept_some(Listener& listener);
  bool refuse_one(Listener& listener);
  void add(Shard& shard, int fd, bool has_place);
  void sweep(Shard& shard);
  void on_each(void (*action)(HttpConnection&));
  void closed(Shard& shard, HttpConnection& connection);

  HttpService service;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::unique_ptr<Listener>> listeners;  // on the first shard
  std::size_t next_shard = 0;
  std::size_t max_connections = 0;
  int spare = -1;        // given up to take a connection for which there is no descriptor
  Instant complained{};  // that there are none; on the first shard
  int bound_port = 0;
  int bind_failure = 0;                                // errno
  std::optional<std::pair<dev_t, ino_t>> socket_file;  // that is ours
  int sweeps = 0;
  bool started = false;
  bool stopped = false;
  std::atomic<std::size_t> count{0};
  std::mutex mutex;
  std::condition_variable all_closed;
};

HttpServer::HttpServer(HttpOptions options, mcp::HttpHandler& handler, HttpPages pages)
    : impl_(std::make_unique<Impl>(std::move(options), handler, std::move(pages))) {}

HttpServer::~HttpServer() {
  stop();
}

// --- listening ----------------------------------------------------------------------------------

Status HttpServer::start() {
  Impl& self = *impl_;
  const HttpOptions& options = self.service.options;
  if (!options.tls_certificate.empty()) {
    MXCP_TRY(self.service.tls, TlsContext::load(options.tls_certificate, options.tls_key));
  }
  self.max_connections = raise_descriptor_limit(options.max_connections);
  self.spare = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t threads =
      std::clamp<std::size_t>(options.threads != 0 ? options.threads : cores / 2, 1, kMaxThreads);
  for (std::size_t i = 0; i < threads; ++i) {
    self.shards.push_back(std::make_unique<Impl::Shard>());
  }
  MXCP_TRY(self.listen());
  for (const auto& listener : self.listeners) self.accept(*listener);
  for (const auto& shard : self.shards) {
    self.sweep(*shard);
    shard->thread = std::thread([&io = shard->io] {
      // Signals belong to the main thread.
      sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      ::pthread_setname_np(::pthread_self(), "mxcp-http");
      io.run();
    });
  }
  self.started = true;
  return {};
}

Status HttpServer::Impl::listen() {
  if (!service.options.unix_socket.empty()) return listen_on_path();
  std::string host = service.options.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host != "localhost") return listen_on_address(host, service.options.port);
  // Both addresses, since clients differ in which they try first; a machine may lack the second.
  MXCP_TRY(listen_on_address("127.0.0.1", service.options.port));
  auto v6 = listen_on_address("::1", bound_port);
  if (v6.ok()) return {};
  // Some clients would reach whoever has it.
  if (bind_failure == EADDRINUSE && service.options.port != 0) return v6;
  log::info("http", "not on IPv6: {}", v6.error().message);
  return {};
}

Status HttpServer::Impl::listen_on_address(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) {
    return Error{Code::kIo,
                 "cannot listen on '" + host + "': " + ::gai_strerror(failure),
                 {},
                 "--host takes a name or an address of this machine, such as 0.0.0.0"};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  Status last = Error{Code::kIo, "'" + host + "' has no address", {}, ""};
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = open_socket(address->ai_family, address->ai_protocol);
    if (fd < 0) {
      last = Error{Code::kIo, "cannot make a socket: " + last_error(), {}, ""};
      continue;
    }
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    if (address->ai_family == AF_INET6 && host != "::") set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    const std::string where = "port " + std::to_string(port) + " on " + host;
    last = take(fd, address->ai_addr, address->ai_addrlen, where);
    if (last.ok()) return {};
  }
  return last;
}

Status HttpServer::Impl::listen_on_path() {
  const std::string& path = service.options.unix_socket;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{
        Code::kIo, "the path of the socket is too long: " + path, {}, "choose a shorter one"};
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);

  // What a server left behind that is gone may go; one that still answers may not.
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return Error{Code::kIo, path + " exists and is no socket", {}, "choose another path"};
    }
    const int probe = open_socket(AF_UNIX, 0);
    if (probe < 0) return Error{Code::kIo, "cannot make a socket: " + last_error(), {}, ""};
    // EAGAIN: it has more connections waiting than it takes.
    const bool alive = ::connect(probe, generic, sizeof address) == 0 || errno == EAGAIN;
    ::close(probe);
    if (alive) return Error{Code::kIo, path + " is in use by another process", {}, ""};
    ::unlink(path.c_str());
  }
  const int fd = open_socket(AF_UNIX, 0);
  if (fd < 0) return Error{Code::kIo, "cannot make a socket: " + last_error(), {}, ""};
  MXCP_TRY(take(fd, generic, sizeof address, path));
  if (::lstat(path.c_str(), &status) == 0) socket_file = {status.st_dev, status.st_ino};
  return {};
}

// Unless another server has put its own there meanwhile.
void HttpServer::Impl::remove_socket_file() {
  const std::string& path = service.options.unix_socket;
  struct stat status {};
  if (!socket_file || ::lstat(path.c_str(), &status) != 0) return;
  if (std::pair(status.st_dev, status.st_ino) == *socket_file) ::unlink(path.c_str());
  socket_file.reset();
}

Status HttpServer::Impl::take(int fd, const sockaddr* address, socklen_t size,
                              const std::string& where) {
  if (::bind(fd, address, size) != 0 || ::listen(fd, kBacklog) != 0) {
    bind_failure = errno;
    ::close(fd);
    if (bind_failure == EADDRINUSE) return address_in_use(where);
    return Error{
        Code::kIo, "cannot listen on " + where + ": " + std::strerror(bind_failure), {}, ""};
  }
  if (address->sa_family != AF_UNIX) bound_port = port_of(fd);
  listeners.push_back(std::make_unique<Listener>(shards.front()->io, fd));
  return {};
}

// --- connections --------------------------------------------------------------------------------

void HttpServer::Impl::accept(Listener& listener) {
  listener.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, &listener](const boost::system::error_code& error) {
                               if (!error) accept_some(listener);
                             });
}

// So that a client is refused rather than left waiting.
bool HttpServer::Impl::refuse_one(Listener& listener) {
  if (spare < 0) return false;
  ::close(std::exchange(spare, -1));
  const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  spare = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return fd >= 0;
}

void HttpServer::Impl::accept_some(Listener& listener) {
  while (!service.stopping) {
    const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return accept(listener);
      const bool is_full = errno == EMFILE || errno == ENFILE;
      if (const Instant now = Clock::system().now(); now - complained > kComplainEvery) {
        complained = now;
        log::warning("http", "cannot take a connection: {}", last_error());
      }
      if (is_full && refuse_one(listener)) continue;
      listener.pause.expires_after(kAcceptPause);
      listener.pause.async_wait([this, &listener](const boost::system::error_code& error) {
        if (!error) accept(listener);
      });
      return;
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    const std::size_t before = count.fetch_add(1);
    const std::size_t limit = max_connections;
    if (before >= limit + kTurnedAway) {
      count.fetch_sub(1);
      ::close(fd);
      continue;
    }
    Shard& shard = *shards[next_shard++ % shards.size()];
    const bool has_place = before < limit;
    if (&shard == shards.front().get()) {
      add(shard, fd, has_place);
    } else {
      asio::post(shard.io, [this, &shard, fd, has_place] { add(shard, fd, has_place); });
    }
  }
}

void HttpServer::Impl::add(Shard& shard, int fd, bool has_place) {
  const auto connection = std::make_shared<HttpConnection>(
      shard.io, fd, service, [this, &shard](HttpConnection& which) { closed(shard, which); });
  shard.connections.emplace(connection.get(), connection);
  if (service.stopping) {
    connection->close();
  } else if (has_place) {
    connection->start();
  } else {
    connection->turn_away();
  }
}

void HttpServer::Impl::closed(Shard& shard, HttpConnection& connection) {
  shard.connections.erase(&connection);
  if (count.fetch_sub(1) == 1) {
    const std::lock_guard lock(mutex);
    all_closed.notify_all();
  }
}

void HttpServer::Impl::sweep(Shard& shard) {
  shard.timer.expires_after(kSweepEvery);
  shard.timer.async_wait([this, &shard](const boost::system::error_code& error) {
    if (error) return;
    const Instant now = Clock::system().now();
    std::vector<std::shared_ptr<HttpConnection>> connections;
    connections.reserve(shard.connections.size());
    for (const auto& [key, connection] : shard.connections) connections.push_back(connection);
    for (const auto& connection : connections) connection->sweep(now);
    if (&shard == shards.front().get() && ++sweeps % 10 == 0) service.handler.sweep();
    sweep(shard);
  });
}

// Each on the thread it belongs to.
void HttpServer::Impl::on_each(void (*action)(HttpConnection&)) {
  for (const auto& shard : shards) {
    asio::post(shard->io, [&shard = *shard, action] {
      std::vector<std::shared_ptr<HttpConnection>> connections;
      for (const auto& [key, connection] : shard.connections) connections.push_back(connection);
      for (const auto& connection : connections) action(*connection);
    });
  }
}

// --- the rest -----------------------------------------------------------------------------------

std::string HttpServer::url() const {
  const HttpOptions& options = impl_->service.options;
  const std::string& path = impl_->service.handler.path();
  if (!options.unix_socket.empty()) return "unix:" + options.unix_socket + ":" + path;
  std::string host = options.host;
  if (host == "0.0.0.0" || host == "::" || host == "[::]") host = "localhost";
  if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
  return (options.tls_certificate.empty() ? "http://" : "https://") + host + ":" +
         std::to_string(impl_->bound_port) + path;
}

Status HttpServer::reload_tls() {
  return impl_->service.tls != nullptr ? impl_->service.tls->reload() : Status();
}

HttpServer::Stats HttpServer::stats() const {
  const HttpCounters& counters = impl_->service.counters;
  Stats out{.connections = impl_->count, .streams = counters.streams, .responses = {}};
  for (std::size_t status = 0; status < counters.responses.size(); ++status) {
    if (const auto count = counters.responses[status].load(std::memory_order_relaxed); count > 0) {
      out.responses.emplace_back(static_cast<int>(status), count);
    }
  }
  return out;
}

void HttpServer::drain(Instant deadline) {
  Impl& self = *impl_;
  if (!self.started || self.service.stopping.exchange(true)) return;
  asio::post(self.shards.front()->io, [&self] {
    for (const auto& listener : self.listeners) {
      boost::system::error_code ignored;
      listener->pause.cancel();
      listener->socket.close(ignored);
    }
  });
  self.remove_socket_file();
  self.on_each([](HttpConnection& connection) { connection.drain(); });
  std::unique_lock lock(self.mutex);
  while (self.count != 0) {
    lock.unlock();
    self.service.handler.end_streams();
    lock.lock();
    const Instant now = Clock::system().now();
    if (now >= deadline) break;
    self.all_closed.wait_until(lock, std::min(deadline, now + kLookEvery),
                               [&] { return self.count == 0; });
  }
}

void HttpServer::stop() {
  Impl& self = *impl_;
  if (std::exchange(self.stopped, true)) return;
  drain(Clock::system().now());
  if (self.started) {
    self.on_each([](HttpConnection& connection) { connection.close(); });
  }
  for (const auto& shard : self.shards) {
    asio::post(shard->io, [&shard = *shard] {
      shard.timer.cancel();
      shard.work.reset();
      shard.io.stop();
    });
    if (shard->thread.joinable()) shard->thread.join();
  }
  self.service.large.stop();
  if (self.spare >= 0) ::close(std::exchange(self.spare, -1));
}

}  // namespace mxcp::net
