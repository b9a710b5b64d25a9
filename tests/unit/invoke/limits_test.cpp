// Limits in the pipeline: who is let in, when an answer comes, where results end.
#include <doctest/doctest.h>

#include <future>
#include <thread>

#include "base/text.h"
#include "invoke/pipeline.h"
#include "support/fake_clock.h"
#include "support/temp_project.h"

using namespace mxcp;
using std::chrono::seconds;

namespace {

std::string tool(const std::string& more) {
  return "mxcp: 1\ntool:\n  name: t\n  language: python\n  source: {code: x}\n" + more;
}

invoke::Request request() {
  invoke::Request request;
  request.id = "t";
  return request;
}

// Keeps the calls that it was given; the test ends them.
class SlowRunner final : public invoke::Runner {
 public:
  void run(std::shared_ptr<const invoke::Call> call, invoke::RunnerDone done) override {
    calls.push_back(std::move(call));
    ends.push_back(std::move(done));
  }
  void end(std::size_t which, Value value = 1) {
    invoke::RawResult raw;
    raw.value = std::move(value);
    ends[which](std::move(raw));
    ends[which] = nullptr;
  }
  std::vector<std::shared_ptr<const invoke::Call>> calls;
  std::vector<invoke::RunnerDone> ends;
};

struct Fixture {
  explicit Fixture(const std::string& more, const std::string& site = "")
      : files{{"tools/t.yml", tool(more)},
              {"mxcp-site.yml", "mxcp: 1\nproject: p\nprofile: default\n" + site}},
        project(files.load()) {}

  invoke::Outcome result(Value value) {
    std::promise<invoke::Outcome> outcome;
    invoke::invoke(project, runners, request(),
                   [&](invoke::Outcome got) { outcome.set_value(std::move(got)); });
    runner.end(runner.ends.size() - 1, std::move(value));
    return outcome.get_future().get();
  }
  // Begins a call that runs until the test ends it; the error when it was refused.
  invoke::Outcome begin() {
    std::size_t before = runner.calls.size();
    invoke::Outcome refused;
    invoke::invoke(project, runners, request(), [&, before](invoke::Outcome got) {
      if (runner.calls.size() == before) refused = std::move(got);
    });
    return refused;
  }

  test::TempProject files;
  std::shared_ptr<const project::Project> project;
  test::FakeClock clock;
  SlowRunner runner;
  Deadlines deadlines{clock};
  invoke::Limiter limiter{clock};
  invoke::Runners runners{nullptr, &runner, nullptr, nullptr, &deadlines, &limiter};
};

Array numbers(int count) {
  Array out;
  for (int i = 0; i < count; ++i) out.emplace_back(i);
  return out;
}

}  // namespace

TEST_CASE("a call has its answer at its deadline, and its work counts until it ends") {
  Fixture f("  limits: {timeout: 1.5s}\n");
  std::promise<invoke::Outcome> promise;
  const auto work = std::make_shared<int>(0);
  auto asked = request();
  asked.work = work;
  invoke::invoke(f.project, f.runners, std::move(asked),
                 [&](invoke::Outcome got) { promise.set_value(std::move(got)); });
  f.runner.calls.front()->stage.set(invoke::Stage::kCode);
  f.clock.advance(seconds(2));
  f.deadlines.clock_changed();
  const invoke::Outcome outcome = promise.get_future().get();
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == Code::kTimeout);
  CHECK(outcome.error->text() ==
        "tools/t.yml:6:21: the call was stopped after 1.5 s (limits.timeout of this tool) (ask for "
        "less at a time; or raise the limit)");
  REQUIRE(outcome.limit);
  CHECK(outcome.limit->limit == "timeout");
  CHECK(f.runner.calls.front()->cancel->cancelled());
  CHECK(work.use_count() > 1);
  f.runner.end(0);  // its result is dropped: a second set_value would throw
  CHECK(f.runner.ends.front() == nullptr);
}

TEST_CASE("a call that ends in time is not bothered") {
  Fixture f("  limits: {timeout: 1.5s}\n");
  CHECK(f.result(7).json == "7");
  f.clock.advance(seconds(2));
  f.deadlines.clock_changed();
  CHECK(!f.runner.calls.front()->cancel->cancelled());
}

TEST_CASE("concurrency: one more is refused until one has ended") {
  Fixture f("  limits: {concurrency: 2}\n");
  CHECK(!f.begin().error);
  CHECK(!f.begin().error);
  const invoke::Outcome refused = f.begin();
  REQUIRE(refused.error);
  CHECK(refused.error->code == Code::kOverloaded);
  CHECK(refused.error->message ==
        "too many calls at once: this tool runs at most 2 at the same time (limits.concurrency of "
        "this tool); retry after 1 second");
  REQUIRE(refused.limit);
  CHECK(refused.limit->retry_after == 1);
  f.runner.end(0);
  CHECK(!f.begin().error);
}

TEST_CASE("rate: a bucket of calls that fills up again") {
  Fixture f("  limits: {rate: 2/m}\n");
  CHECK(!f.result(1).error);
  CHECK(!f.result(1).error);
  const invoke::Outcome refused = f.begin();
  REQUIRE(refused.error);
  CHECK(refused.error->message ==
        "too many calls: this tool takes at most 2 per minute (limits.rate of this tool); retry "
        "after 30 seconds");
  CHECK(refused.limit->retry_after == 30);
  f.clock.advance(seconds(29));
  CHECK(f.begin().limit->retry_after == 1);
  f.clock.advance(seconds(1));
  CHECK(!f.result(1).error);
  CHECK(f.begin().error);
  f.clock.advance(std::chrono::hours(1));
  CHECK(!f.result(1).error);
  CHECK(!f.result(1).error);
  CHECK(f.begin().error);  // it never holds more than 2
}

TEST_CASE("completion has the limits of its endpoint, counted apart") {
  const test::TempProject files{
      {"mxcp-site.yml", "mxcp: 1\nproject: p\nprofile: default\n"},
      {"resources/r.yml",
       "mxcp: 1\nresource:\n  uri: r://{id}\n  parameters: [{name: id, type: string, completion: "
       "SELECT 1}]\n  source: {code: SELECT 1}\n  limits: {rate: 1/m}\n"}};
  Fixture f("");
  f.runners.sql = &f.runner;
  const auto project = files.load();
  const auto begin = [&](const std::string& completes) {
    invoke::Request asked;
    asked.kind = project::EndpointKind::kResource;
    asked.id = "r://{id}";
    asked.completes = completes;
    asked.arguments = {{completes.empty() ? "id" : "value", "x"}};
    // What is let in ends later, when nobody here listens any more.
    const auto error = std::make_shared<std::string>();
    invoke::invoke(project, f.runners, std::move(asked), [error](const invoke::Outcome& got) {
      if (got.error) *error = got.error->message;
    });
    return *error;
  };
  CHECK(begin("id").empty());
  CHECK(begin("").empty());
  CHECK(begin("id") ==
        "too many calls: completion of this resource takes at most 1 per minute (limits.rate of "
        "this resource); retry after 60 seconds");
  CHECK(begin("").find("too many calls: this resource takes") == 0);
  for (auto& end : f.runner.ends) {
    if (end) end(Error{Code::kSql, "over"});
  }
}

TEST_CASE("the whole server: server_concurrency and server_rate") {
  Fixture f("", "limits: {server_concurrency: 1, server_rate: 3/h}\n");
  CHECK(!f.begin().error);
  CHECK(f.begin().error->message.find("this server runs at most 1 at the same time "
                                      "(limits.server_concurrency in mxcp-site.yml)") !=
        std::string::npos);
  f.runner.end(0);
  CHECK(!f.result(1).error);
  CHECK(!f.result(1).error);
  CHECK(f.begin().limit->limit == "server_rate");
}

TEST_CASE("a list is cut after max_rows, and says so") {
  Fixture f("  parameters: [{name: offset, type: integer, default: 0}]\n  limits: {max_rows: 3}\n");
  const invoke::Outcome cut = f.result(numbers(5));
  CHECK(cut.json == "[0,1,2]");
  CHECK(cut.notice ==
        "The result was cut after 3 rows (limits.max_rows of this tool): there is more. Use "
        "'offset' to get the rest.");
  REQUIRE(cut.limit);
  CHECK(cut.limit->rows == 3);
  const invoke::Outcome whole = f.result(numbers(3));
  CHECK(whole.json == "[0,1,2]");
  CHECK(whole.notice.empty());
  CHECK(!whole.limit);
}

TEST_CASE("a cut result names only parameters that lead to the rest") {
  const auto rest = [](const std::string& names) {
    std::string parameters;
    for (const auto& name : split(names, ' ')) {
      if (!name.empty()) parameters += "{name: " + name + ", type: integer, default: 0},";
    }
    Fixture f("  parameters: [" + parameters + "]\n  limits: {max_rows: 3}\n");
    const std::string notice = f.result(numbers(5)).notice;
    return notice.substr(notice.find("there is more. ") + 15);
  };
  CHECK(rest("limit offset year") == "Use 'limit' and 'offset' to get the rest.");
  CHECK(rest("pageToken") == "Use 'pageToken' to get the rest.");
  const std::string general =
      "To get the rest, ask for less at a time: with arguments that fewer rows match.";
  CHECK(rest("n") == general);
  CHECK(rest("count year") == general);
  // A longer page is cut like this one.
  CHECK(rest("limit") == general);
  CHECK(rest("") == "This tool has no parameters to ask for the rest.");
}

TEST_CASE("a list is cut between its items when it is too large") {
  Fixture f("  limits: {max_bytes: 9}\n");
  CHECK(f.result(Array{"abc", "d"}).json == "[\"abc\"]");
  CHECK(f.result(Array{"ab", "d"}).json == "[\"ab\"]");
  CHECK(f.result(Array{1, 2, 3, 4}).json == "[1,2,3,4]");
  CHECK(f.result(Array{1, 2, 3, 4, 5}).json == "[1,2,3,4]");
  const invoke::Outcome none = f.result(Array{"abcdefgh"});
  REQUIRE(none.error);
  CHECK(none.error->message ==
        "the result is too large: its first row has more than 9 bytes (limits.max_bytes of this "
        "tool)");
}

TEST_CASE("what cannot be cut is an error") {
  Fixture f("  limits: {max_bytes: 9}\n");
  for (const Value& value : {Value("abcdefghi"), Value(Object{{"a", "bcdef"}})}) {
    const invoke::Outcome outcome = f.result(value);
    REQUIRE(outcome.error);
    CHECK(outcome.error->code == Code::kInvalidOutput);
    CHECK(outcome.error->message.find("more than 9 bytes") != std::string::npos);
    CHECK(outcome.limit->limit == "max_bytes");
  }
  CHECK(f.result("abcdefg").json == "\"abcdefg\"");
}

TEST_CASE("the site's limits hold where an endpoint has none; none switches one off") {
  const std::string site = "limits: {max_rows: 2}\n";
  CHECK(Fixture("", site).result(numbers(4)).json == "[0,1]");
  CHECK(Fixture("  limits: {max_rows: 3}\n", site).result(numbers(4)).json == "[0,1,2]");
  for (const char* const off : {"none", "null", "~", ""}) {
    CAPTURE(off);
    Fixture f("  limits: {max_rows: " + std::string(off) + "}\n", site);
    CHECK(f.result(numbers(4)).json == "[0,1,2,3]");
  }
}
