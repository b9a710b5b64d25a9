// Many clients at once over real sockets, with calls that are answered by other threads. Under TSan
// this is the proof that the transport, sessions and streams share nothing without a lock.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "mcp/harness.h"
#include "net/http_server.h"

using namespace mxcp;
using namespace mxcp::mcp::testing;
using namespace mxcp::net;

namespace {

// Answers calls on threads of its own, with the argument `a`; cancelled ones with an error.
class ThreadedBackend final : public mcp::Backend {
 public:
  explicit ThreadedBackend(std::shared_ptr<const project::Project> project)
      : project_(std::move(project)) {
    for (int i = 0; i < 3; ++i) threads_.emplace_back([this] { work(); });
  }
  ~ThreadedBackend() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    arrived_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  std::shared_ptr<const project::Project> project() const override { return project_; }
  void call(invoke::Request request, invoke::Done done) override {
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back({std::move(request), std::move(done)});
    }
    arrived_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      arrived_.wait(lock, [this] { return ended_ || !calls_.empty(); });
      if (calls_.empty()) return;
      auto [request, done] = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      invoke::Outcome outcome;
      outcome.endpoint = project_->find(request.kind, request.id);
      if (request.cancel->cancelled()) {
        outcome.error = request.cancel->error();
      } else {
        if (request.client) request.client->log("info", "test", "working");
        const Value* const a = request.arguments.find("a");
        outcome.json = a == nullptr ? "null" : to_json(*a);
      }
      done(std::move(outcome));
      lock.lock();
    }
  }

  std::shared_ptr<const project::Project> project_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::pair<invoke::Request, invoke::Done>> calls_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

struct Site {
  Site()
      : folder(Rig::make_sample()),
        backend(folder->load()),
        server(test_options(), backend),
        endpoint({}, server),
        http(options(), endpoint, {}) {
    REQUIRE(http.start().ok());
    const std::string url = http.url();
    port = std::stoi(url.substr(url.rfind(':') + 1));
  }
  ~Site() { http.stop(); }
  static HttpOptions options() {
    HttpOptions options;
    options.host = "127.0.0.1";
    options.port = 0;
    options.threads = 2;
    return options;
  }

  std::unique_ptr<ProjectFolder> folder;
  ThreadedBackend backend;
  mcp::Server server;
  mcp::HttpEndpoint endpoint;
  HttpServer http;
  int port = 0;
};

struct Response {
  int status = 0;  // 0: the connection ended without one
  std::string headers;
  std::string body;
};

// A connection that waits for each answer.
class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    // A hanging server fails the test instead of hanging it.
    const timeval limit{60, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }

  bool send(const std::string& method, const std::string& headers, const std::string& body) {
    const std::string text = method +
                             " /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                             "\r\nAccept: application/json, text/event-stream\r\n" +
                             headers + "Content-Length: " + std::to_string(body.size()) +
                             "\r\n\r\n" + body;
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  Response read() {
    Response out;
    const auto head = until("\r\n\r\n");
    if (!head) return out;
    out.headers = *head;
    out.status = std::stoi(head->substr(9, 3));
    if (const auto at = head->find("Content-Length: "); at != std::string::npos) {
      const std::size_t size = std::stoul(head->substr(at + 16));
      while (buffer_.size() < size && more()) {
      }
      out.body = buffer_.substr(0, size);
      buffer_.erase(0, out.body.size());
    } else if (head->find("chunked") != std::string::npos) {
      const auto rest = until("0\r\n\r\n");
      out.body = rest ? *rest : std::exchange(buffer_, "");
    }
    return out;
  }
  Response ask(const std::string& method, const std::string& headers, const std::string& body) {
    return send(method, headers, body) ? read() : Response{};
  }

 private:
  bool more() {
    char piece[16384];
    const ssize_t n = ::recv(socket_, piece, sizeof piece, 0);
    if (n <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(n));
    return true;
  }
  std::optional<std::string> until(std::string_view end) {
    std::size_t at;
    while ((at = buffer_.find(end)) == std::string::npos) {
      if (!more()) return {};
    }
    std::string out = buffer_.substr(0, at + end.size());
    buffer_.erase(0, out.size());
    return out;
  }

  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

std::string header(const std::string& name, const std::string& value) {
  return name + ": " + value + "\r\n";
}

const std::string kStatelessCall = header("MCP-Protocol-Version", "2026-07-28") +
                                   header("Mcp-Method", "tools/call") + header("Mcp-Name", "add");

std::string stateless_call(const std::string& id, int a) {
  return request(id, "tools/call",
                 R"({"name":"add","arguments":{"a":)" + std::to_string(a) + "}," + kMeta + "}");
}
std::string call(const std::string& id, int a) {
  return request(id, "tools/call", R"({"name":"add","arguments":{"a":)" + std::to_string(a) + "}}");
}

// The headers of a new session; "" when it was refused.
std::string open_session(Client& client) {
  const Response answer = client.ask("POST", "",
                                     request("0", "initialize",
                                             R"({"protocolVersion":"2025-06-18","capabilities":{},)"
                                             R"("clientInfo":{"name":"t","version":"0"}})"));
  const std::string name = "Mcp-Session-Id: ";
  const auto at = answer.headers.find(name);
  if (answer.status != 200 || at == std::string::npos) return "";
  const auto begin = at + name.size();
  return header("Mcp-Session-Id",
                answer.headers.substr(begin, answer.headers.find('\r', begin) - begin));
}

// Whether the answer is the one to that call: right id, right number.
bool answers(const Response& response, const std::string& id, int a) {
  return response.status == 200 && response.body.find("\"id\":" + id) != std::string::npos &&
         response.body.find(R"("structuredContent":{"result":)" + std::to_string(a) + "}") !=
             std::string::npos;
}

// Counts what went wrong, since doctest's checks belong to the main thread.
template <class Body>
int failures(int threads, const Body& body) {
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < threads; ++i) clients.emplace_back([&, i] { failed += body(i); });
  for (std::thread& client : clients) client.join();
  return failed;
}

}  // namespace

TEST_CASE("clients of both eras at once: each call gets its own answer") {
  Site site;
  const int wrong = failures(8, [&](int n) {
    int bad = 0;
    Client client(site.port);
    const std::string session = n % 2 == 0 ? open_session(client) : "";
    if (n % 2 == 0 && session.empty()) return 1;
    for (int i = 0; i < 60; ++i) {
      const int a = n * 1000 + i;
      const std::string id = std::to_string(i + 1);
      const Response answer =
          n % 2 == 0 ? client.ask("POST", session + header("MCP-Protocol-Version", "2025-06-18"),
                                  call(id, a))
                     : client.ask("POST", kStatelessCall, stateless_call(id, a));
      if (!answers(answer, id, a)) ++bad;
    }
    return bad;
  });
  CHECK(wrong == 0);
}

TEST_CASE("clients that leave at any moment take nobody with them") {
  Site site;
  const int wrong = failures(6, [&](int n) {
    int bad = 0;
    std::mt19937 random(static_cast<unsigned>(n));
    for (int i = 0; i < 80; ++i) {
      Client client(site.port);
      const int a = n * 1000 + i;
      if (n % 3 == 0) {  // stays
        if (!answers(client.ask("POST", kStatelessCall, stateless_call("7", a)), "7", a)) ++bad;
      } else if (random() % 2 == 0) {
        client.send("POST", kStatelessCall, stateless_call("7", a));
      } else {
        client.send("POST", kStatelessCall, stateless_call("7", a).substr(0, random() % 40));
      }
    }
    return bad;
  });
  CHECK(wrong == 0);
}

TEST_CASE("sessions come, listen and go while lists change") {
  Site site;
  std::atomic<bool> done{false};
  std::thread changes([&] {
    while (!done) {
      site.server.notify_list_changed();
      site.server.notify_resources_updated();
      site.endpoint.sweep();
      std::this_thread::yield();
    }
  });
  const int wrong = failures(6, [&](int n) {
    int bad = 0;
    for (int i = 0; i < 25; ++i) {
      Client client(site.port);
      const std::string session = open_session(client);
      if (session.empty()) {
        ++bad;
        continue;
      }
      Client listener(site.port);
      listener.send("GET", session, "");
      const int a = n * 1000 + i;
      if (!answers(client.ask("POST", session, call("5", a)), "5", a)) ++bad;
      if (client.ask("DELETE", session, "").status >= 300) ++bad;
      if (client.ask("POST", session, call("6", a)).status != 404) ++bad;
    }
    return bad;
  });
  done = true;
  changes.join();
  CHECK(wrong == 0);
  CHECK(site.endpoint.session_count() == 0);
}

TEST_CASE("a server that stops under load answers what it took, or closes") {
  Site site;
  std::atomic<int> right{0};
  std::thread stopper;
  const int wrong = failures(6, [&](int n) {
    int bad = 0;
    for (int i = 0; i < 200; ++i) {
      Client client(site.port);
      if (!client.connected()) break;
      const Response answer = client.ask("POST", kStatelessCall, stateless_call("7", i));
      if (answer.status == 200) {
        if (!answers(answer, "7", i)) ++bad;
        ++right;
      } else if (answer.status != 0 && answer.status != 503) {
        ++bad;
      }
      if (n == 0 && i == 30) {
        stopper =
            std::thread([&] { site.http.drain(Clock::system().now() + std::chrono::seconds(60)); });
      }
    }
    return bad;
  });
  stopper.join();
  CHECK(wrong == 0);
  CHECK(right > 30);
}
