// Methods of plugins as SQL functions: who calls, cancelling, what is left behind.
#include <atomic>
#include <thread>

#include "harness.h"

using namespace mxcp;
using test::PythonProject;

namespace {

constexpr const char* kSite =
    "mxcp: 1\nproject: test\nprofile: default\n"
    "plugin:\n  - {name: p, module: the_plugin}\n";

constexpr const char* kPlugin =
    "from mxcp.plugins import MXCPBasePlugin, udf\n"
    "import time\n"
    "class Tracked:\n"
    "    alive = 0\n"
    "    def __init__(self): Tracked.alive += 1\n"
    "    def __del__(self): Tracked.alive -= 1\n"
    "class MXCPPlugin(MXCPBasePlugin):\n"
    "    @udf\n"
    "    def who(self) -> str: return self.get_username()\n"
    "    @udf\n"
    "    def who_of(self, i: int) -> str: return self.get_username()\n"
    "    @udf\n"
    "    def slow(self, i: int) -> int:\n"
    "        time.sleep(0.01)\n"
    "        return i\n"
    "    @udf\n"
    "    def fail(self, i: int) -> int:\n"
    "        tracked = Tracked()\n"
    "        raise ValueError(str(i))\n";

constexpr const char* kTools =
    "from mxcp.runtime import db\n"
    "def names() -> list:\n"
    "    rows = db.execute('SELECT who_p() AS a, who_of_p(i) AS b FROM range(3000) t(i)')\n"
    "    return sorted({r['a'] for r in rows} | {r['b'] for r in rows})\n"
    "def sleep() -> int:\n"
    "    return db.execute('SELECT sum(slow_p(i)) AS s FROM range(100000) t(i)')[0]['s']\n"
    "def failures() -> int:\n"
    "    for i in range(50):\n"
    "        try: db.execute('SELECT fail_p(i) FROM range(3) t(i)')\n"
    "        except Exception as error: assert 'ValueError' in str(error)\n"
    "    import the_plugin\n"
    "    return the_plugin.Tracked.alive\n";

PythonProject make() {
  return PythonProject{{"mxcp-site.yml", kSite},        {"plugins/the_plugin.py", kPlugin},
                       {"python/tool_code.py", kTools}, test::tool_file("names"),
                       test::tool_file("sleep"),        test::tool_file("failures")};
}

}  // namespace

TEST_CASE("UDF: every call sees its own user, also in parallel and on DuckDB's threads") {
  PythonProject project = make();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const auto call = project.make_call("names", "{}");
        UserContext user;
        user.username = "user" + std::to_string(t) + "_" + std::to_string(i);
        call->caller.user = user;
        if (PythonProject::text(project.start(call).get()) != "[\"" + user.username + "\"]")
          ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("UDF: a cancelled call does not wait for the rest of the rows") {
  PythonProject project = make();
  const auto call = project.make_call("sleep", "{}");
  auto result = project.start(call);
  call->cancel->cancel(Code::kCancelled);
  const auto ended = result.get();
  REQUIRE(!ended.ok());
  CHECK(ended.error().code == Code::kCancelled);
}

TEST_CASE("UDF: an error lets go of everything") {
  PythonProject project = make();
  CHECK(project.json("failures") == "0");
}
