#include "mcp/http_sessions.h"

#include "harness.h"

using namespace mxcp;
using namespace mxcp::mcp;
using namespace mxcp::mcp::testing;

namespace {

const Instant kStart{std::chrono::hours(1)};

struct Sessions {
  explicit Sessions(std::size_t most) : sessions(rig.server, {.max_sessions = most}) {}

  // The id; empty when there is no place.
  std::string open(std::chrono::seconds at, bool used = false) {
    const auto session = sessions.open({}, kStart + at);
    if (session == nullptr) return "";
    if (used) session->set_used();
    return session->id();
  }
  bool has(const std::string& id) { return sessions.find(id) != nullptr; }

  Rig rig;
  HttpSessions sessions;
};

}  // namespace

TEST_CASE("the session that rests longest makes place") {
  using std::chrono::seconds;
  Sessions all(3);
  const std::string first = all.open(seconds(0), true);
  const std::string second = all.open(seconds(10), true);
  all.open(seconds(20), true);
  CHECK(all.open(seconds(59)).empty());
  CHECK(!all.open(seconds(60)).empty());
  CHECK(!all.has(first));
  CHECK(all.has(second));
}

TEST_CASE("a session in which nothing was asked yet makes place before others, but not at once") {
  using std::chrono::seconds;
  Sessions all(3);
  const std::string first = all.open(seconds(0), true);
  all.open(seconds(30), true);
  const std::string unused = all.open(seconds(40));
  CHECK(all.open(seconds(44)).empty());
  CHECK(!all.open(seconds(90), true).empty());
  CHECK(!all.has(unused));
  CHECK(all.has(first));
}

TEST_CASE("who only opens sessions ends those of nobody else") {
  using std::chrono::seconds;
  Sessions all(4);
  const std::string used = all.open(seconds(0), true);
  for (int i = 0; i < 20; ++i) CHECK(!all.open(seconds(100)).empty());
  CHECK(all.has(used));
  CHECK(all.sessions.size() == 4);
}

// --- what is kept for a client that comes back --------------------------------------------------

namespace {

struct FakeReply final : HttpReply {
  void respond(int, std::string_view, std::string, std::string_view) override {}
  void begin_stream(std::string_view, std::string events) override { text = std::move(events); }
  bool send_events(std::string events) override {
    text += events;
    return true;
  }
  void end_stream(std::string last_events) override { text += last_events; }
  std::string text;
};

// A stream to which this was said while nobody listened, and its answer.
std::shared_ptr<HttpStream> unheard(HttpSession& session, std::size_t bytes) {
  auto stream = session.open_stream();
  stream->send(R"("said")");
  stream->finish('"' + std::string(bytes, 'x') + '"');
  return stream;
}

}  // namespace

TEST_CASE("a session keeps answers up to a number of bytes") {
  Sessions all(10);
  const auto session = all.sessions.find(all.open(std::chrono::seconds(0)));
  constexpr std::size_t kLarge = 3 << 20;
  const auto number = [](const auto& stream) { return std::to_string(stream->number()) + "-1"; };
  std::vector<std::string> streams;
  for (int i = 0; i < 8; ++i) streams.push_back(number(unheard(*session, kLarge)));
  const auto reply = std::make_shared<FakeReply>();
  CHECK(session->listen(reply, streams.front()) == nullptr);
  REQUIRE(session->listen(reply, streams.back()) != nullptr);
  CHECK(reply->text.size() > kLarge);

  // One that is too large is not kept, and whoever comes back for it is told.
  const auto huge = unheard(*session, 9 << 20);
  CHECK(session->listen(reply, number(huge)) == nullptr);
  CHECK(session->listen(reply, std::to_string(huge->number()) + "-2") != nullptr);
}
