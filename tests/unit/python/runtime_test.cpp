#include "base/rules.h"
#include "harness.h"

using namespace mxcp;
using mxcp::test::PythonProject;
using mxcp::test::tool_file;

namespace {

// "place | message", one per line.
std::string messages(const std::vector<Error>& errors) {
  std::string texts;
  for (const Error& error : errors) texts += error.place.text() + " | " + error.message + "\n";
  return texts;
}

std::optional<Code> error_code(const Result<Value>& result) {
  return result.ok() ? std::nullopt : std::optional(result.error().code);
}

}  // namespace

TEST_CASE("Python: arguments arrive as keywords, with Python's types") {
  PythonProject project{
      tool_file("f",
                {"s: string", "i: integer", "n: number", "b: boolean", "l: array", "o: object"}),
      {"python/tool_code.py",
       "def f(*, s, i, n, b, l, o):\n"
       "    return [type(x).__name__ for x in (s, i, n, b, l, o)] + [s, i, n, b, l, o]\n"}};
  CHECK(project.json("f", R"({"s":"x","i":12,"n":1.5,"b":true,"l":[1,"a"],"o":{"k":null}})") ==
        R"(["str","int","float","bool","list","dict","x",12,1.5,true,[1,"a"],{"k":null}])");
}

TEST_CASE("Python: a coroutine function runs on the loop, others on threads") {
  PythonProject project{
      tool_file("sync"),
      tool_file("coroutine"),
      tool_file("returns_awaitable"),
      tool_file("generator"),
      tool_file("async_generator"),
      tool_file("wrapped"),
      tool_file("partial"),
      {"python/tool_code.py",
       "import asyncio, functools, threading\n"
       "def name(): return threading.current_thread().name.split('-')[0] != 'MainThread'\n"
       "def sync(): return name()\n"
       "async def coroutine():\n"
       "    await asyncio.sleep(0)\n"
       "    return asyncio.get_running_loop().is_running()\n"
       "def returns_awaitable(): return coroutine()\n"
       "def generator():\n    yield 1\n    yield 2\n"
       "async def async_generator():\n    yield 1\n    await asyncio.sleep(0)\n    yield 2\n"
       "def keep(f):\n"
       "    @functools.wraps(f)\n"
       "    def inner(*a, **k): return f(*a, **k)\n"
       "    return inner\n"
       "@keep\nasync def wrapped(): return 'wrapped'\n"
       "async def two(a, b): return a + b\n"
       "partial = functools.partial(two, a=1, b=2)\n"}};
  CHECK(project.json("sync") == "true");
  CHECK(project.json("coroutine") == "true");
  CHECK(project.json("returns_awaitable") == "true");
  CHECK(project.json("generator") == "[1,2]");
  CHECK(project.json("async_generator") == "[1,2]");
  CHECK(project.json("wrapped") == "\"wrapped\"");
  CHECK(project.json("partial") == "3");
}

TEST_CASE("Python: plain functions run at the same time") {
  PythonProject project{tool_file("meet"),
                        {"python/tool_code.py",
                         "import threading\n"
                         "barrier = threading.Barrier(3)\n"
                         "def meet(): return barrier.wait(timeout=30) >= 0\n"}};
  std::vector<std::future<Result<Value>>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(project.start(project.make_call("meet", "{}")));
  for (auto& call : calls) CHECK(project.text(call.get()) == "true");
}

TEST_CASE("Python: coroutines of several calls take turns on one loop") {
  PythonProject project{tool_file("meet"),
                        {"python/tool_code.py",
                         "import asyncio\n"
                         "waiting = []\n"
                         "async def meet():\n"
                         "    event = asyncio.Event()\n"
                         "    waiting.append(event)\n"
                         "    if len(waiting) == 3:\n"
                         "        for e in waiting: e.set()\n"
                         "    await asyncio.wait_for(event.wait(), 30)\n"
                         "    return len(waiting)\n"}};
  std::vector<std::future<Result<Value>>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(project.start(project.make_call("meet", "{}")));
  for (auto& call : calls) CHECK(project.text(call.get()) == "3");
}

TEST_CASE("Python: a coroutine that cannot be cancelled is answered when its loop ends") {
  PythonProject project{tool_file("stubborn"),
                        {"python/tool_code.py",
                         "import asyncio\n"
                         "async def stubborn():\n"
                         "    while True:\n"
                         "        try:\n"
                         "            await asyncio.sleep(3600)\n"
                         "        except asyncio.CancelledError:\n"
                         "            pass\n"}};
  auto call = project.start(project.make_call("stubborn", "{}"));
  CHECK(call.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
  project.runtime.unload();
  CHECK(project.text(call.get()) == "error: the event loop has ended");
}

TEST_CASE("Python: after a coroutine stopped the loop the next one gets another") {
  PythonProject project{tool_file("stop"),
                        tool_file("answer"),
                        {"python/tool_code.py",
                         "import asyncio\n"
                         "async def stop():\n"
                         "    asyncio.get_running_loop().stop()\n"
                         "    await asyncio.sleep(3600)\n"
                         "async def answer(): return 5\n"}};
  CHECK_FALSE(project.call("stop").ok());
  CHECK(project.json("answer") == "5");
}

TEST_CASE("Python: every call has its own context") {
  PythonProject project{
      tool_file("count"),
      tool_file("count_async"),
      tool_file("initial"),
      {"python/tool_code.py",
       "import contextvars\n"
       "from mxcp.runtime import on_init\n"
       "var = contextvars.ContextVar('var', default=0)\n"
       "start = contextvars.ContextVar('start', default='unset')\n"
       "@on_init\ndef init(): start.set('by the hook')\n"
       "def count():\n    var.set(var.get() + 1)\n    return var.get()\n"
       "async def count_async():\n    var.set(var.get() + 1)\n    return var.get()\n"
       "def initial(): return start.get()\n"}};
  project.runtime.run_init_hooks();
  for (int i = 0; i < 5; ++i) {
    CHECK(project.json("count") == "1");
    CHECK(project.json("count_async") == "1");
  }
  CHECK(project.json("initial") == "\"by the hook\"");
}

TEST_CASE("Python: whatever is raised is an error of the call, and nothing more") {
  PythonProject project{
      tool_file("f", {"what: string"}),
      tool_file("g", {"what: string"}),
      {"python/tool_code.py",
       "import sys, json\n"
       "class Mute(Exception):\n    def __str__(self): raise RuntimeError('mute')\n"
       "def deep(n): return deep(n + 1)\n"
       "def nested():\n"
       "    a = []\n"
       "    for _ in range(200000): a = [a]\n"
       "    return a\n"
       "def f(what):\n"
       "    if what == 'exit': sys.exit('bye')\n"
       "    if what == 'exit code': sys.exit(3)\n"
       "    if what == 'interrupt': raise KeyboardInterrupt\n"
       "    if what == 'generator': raise GeneratorExit\n"
       "    if what == 'mute': raise Mute()\n"
       "    if what == 'empty': raise ValueError\n"
       "    if what == 'key': return {}['absent']\n"
       "    if what == 'recursion': deep(0)\n"
       "    if what == 'repr': return repr(nested())\n"
       "    if what == 'dumps': return json.dumps(nested())\n"
       "    if what == 'memory': raise MemoryError\n"
       "    raise ValueError(what)\n"
       "async def g(what): return f(what)\n"}};
  for (const char* tool : {"f", "g"}) {
    CAPTURE(tool);
    const auto message = [&](const std::string& what) {
      const auto result = project.call(tool, "{\"what\":\"" + what + "\"}");
      REQUIRE_FALSE(result.ok());
      CHECK(result.error().code == Code::kPython);
      CHECK(result.error().place.file == "python/tool_code.py");
      CHECK(result.error().detail.starts_with("Traceback (most recent call last):\n  File "));
      return result.error().message;
    };
    CHECK(message("exit") == "SystemExit: bye");
    CHECK(message("exit code") == "SystemExit: 3");
    CHECK(message("interrupt") == "KeyboardInterrupt");
    CHECK(message("generator") == "GeneratorExit");
    CHECK(message("mute") == "Mute");
    CHECK(message("empty") == "ValueError");
    CHECK(message("key") == "KeyError: 'absent'");
    CHECK(message("recursion").starts_with("maximum recursion depth exceeded"));
    CHECK(message("repr").starts_with("maximum recursion depth exceeded"));
    CHECK(message("dumps").starts_with("maximum recursion depth exceeded"));
    CHECK(message("memory") == "MemoryError");
    CHECK(message("plain text") == "plain text");
  }
}

TEST_CASE("Python: the place of an error is the innermost line of the project") {
  PythonProject project{
      tool_file("f"),
      {"python/tool_code.py", "from lib.inner import fail\ndef f():\n    fail()\n"},
      {"python/lib/inner.py", "import json\n\ndef fail():\n    json.loads('{')\n"}};
  const auto result = project.call("f");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().place == Place{"python/lib/inner.py", 4, 0});
  CHECK(result.error().detail.find("json/decoder.py") != std::string::npos);
}

TEST_CASE("Python: SystemExit in a task of a coroutine does not end the loop") {
  PythonProject project{tool_file("f"),
                        tool_file("g"),
                        {"python/tool_code.py",
                         "import asyncio, sys\n"
                         "async def leave(): sys.exit(1)\n"
                         "async def f(): await asyncio.gather(leave(), asyncio.sleep(0))\n"
                         "async def g(): return 'alive'\n"}};
  CHECK(project.json("f") == "error: SystemExit: 1");
  CHECK(project.json("g") == "\"alive\"");
}

TEST_CASE("Python: a cancelled coroutine ends, a cancelled function reports it when it returns") {
  PythonProject project{tool_file("forever"),
                        tool_file("stubborn"),
                        tool_file("steps"),
                        tool_file("state"),
                        tool_file("release"),
                        tool_file("log"),
                        {"python/tool_code.py",
                         "import asyncio, threading\n"
                         "log_ = []\n"
                         "started, go = threading.Event(), threading.Event()\n"
                         "async def forever():\n"
                         "    started.set()\n"
                         "    try:\n        await asyncio.Event().wait()\n"
                         "    finally:\n        log_.append('cleaned up')\n"
                         "async def stubborn():\n"
                         "    started.set()\n"
                         "    try:\n        await asyncio.Event().wait()\n"
                         "    except asyncio.CancelledError:\n        return 'ignored'\n"
                         "def steps():\n"
                         "    started.set()\n"
                         "    go.wait(30)\n"
                         "    return 'done'\n"
                         "def release(): go.set()\n"
                         "def log(): return log_\n"
                         "def state():\n"
                         "    assert started.wait(30)\n"
                         "    started.clear()\n"}};
  for (const char* tool : {"forever", "stubborn"}) {
    auto call = project.make_call(tool, "{}");
    auto running = project.start(call);
    CHECK(project.json("state") == "null");  // waits until it runs
    CHECK(call->cancel->cancel());
    const auto result = running.get();
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Code::kCancelled);
  }
  auto call = project.make_call("steps", "{}");
  auto running = project.start(call);
  CHECK(project.json("state") == "null");
  CHECK(call->cancel->cancel(Code::kTimeout));
  CHECK(project.json("release") == "null");
  CHECK(error_code(running.get()) == Code::kTimeout);
  CHECK(project.json("log") == R"(["cleaned up"])");
}

TEST_CASE("Python: a call that was cancelled before it began does not run") {
  PythonProject project{tool_file("f"),
                        tool_file("g"),
                        tool_file("ran"),
                        {"python/tool_code.py",
                         "ran_ = []\n"
                         "def f(): ran_.append('f')\n"
                         "async def g(): ran_.append('g')\n"
                         "def ran(): return ran_\n"}};
  for (const char* tool : {"f", "g"}) {
    auto call = project.make_call(tool, "{}");
    call->cancel->cancel();
    CHECK(error_code(project.start(call).get()) == Code::kCancelled);
  }
  CHECK(project.json("ran") == "[]");
}

TEST_CASE("Python: a result that is no JSON is an error with its path") {
  PythonProject project{tool_file("f"),
                        {"python/tool_code.py", "def f(): return {'rows': [{'a': object()}]}\n"}};
  CHECK(project.json("f").starts_with("error: rows[0].a: a value of type object cannot be turned"));
}

TEST_CASE("Python: an error that no line raised has the place of the function") {
  PythonProject project{
      tool_file("f", {"a: string"}),
      tool_file("g"),
      {"python/tool_code.py", "def f(b): return 1\n\n\nasync def g():\n    return object()\n"}};
  const auto wrong = project.call("f", R"({"a":"x"})");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().message == "f() got an unexpected keyword argument 'a'");
  CHECK(wrong.error().place == Place{"python/tool_code.py", 1, 0});
  const auto no_json = project.call("g");
  REQUIRE_FALSE(no_json.ok());
  CHECK(no_json.error().place == Place{"python/tool_code.py", 4, 0});
}

TEST_CASE("Python: hooks run in the order of registration, and a failing one is survived") {
  PythonProject project{
      tool_file("seen"),
      {"python/a_first.py",
       "from mxcp.runtime import on_init, on_shutdown\n"
       "from shared import seen\n"
       "@on_init\ndef one(): seen.append('one')\n"
       "@on_init\ndef broken(): raise SystemExit('no')\n"
       "@on_shutdown\ndef end(): seen.append('end')\n"},
      {"python/shared.py", "seen = []\n"},
      {"python/z_last.py",
       "import asyncio\n"
       "from mxcp.runtime import on_init\n"
       "from shared import seen\n"
       "@on_init\nasync def two():\n    await asyncio.sleep(0)\n    seen.append('two')\n"
       "    return object()\n"},
      {"python/tool_code.py", "import shared\ndef seen(): return shared.seen\n"}};
  CHECK(project.json("seen") == "[]");
  project.runtime.run_init_hooks();
  CHECK(project.json("seen") == R"(["one","two"])");
  project.runtime.run_shutdown_hooks();
  project.runtime.run_shutdown_hooks();
  CHECK(project.json("seen") == R"(["one","two","end"])");
}

TEST_CASE("Python: a reload runs the modules as they are now") {
  PythonProject project{tool_file("f"),
                        {"python/tool_code.py", "import helper\ndef f(): return helper.X\n"},
                        {"python/helper.py", "X = 1\n"}};
  CHECK(project.json("f") == "1");
  // Same length, within the same second: Python's own .pyc check would take the old one.
  for (int i = 2; i < 6; ++i) {
    project.files.write("python/helper.py", "X = " + std::to_string(i) + "\n");
    project.runtime.unload();
    CHECK(messages(project.load()).empty());
    CHECK(project.json("f") == std::to_string(i));
  }
  CHECK(fs::exists(project.files.root() / "python/__pycache__"));
}

TEST_CASE("Python: a reload runs each hook once") {
  PythonProject project{tool_file("count"),
                        {"python/tool_code.py",
                         "from mxcp.runtime import on_init\n"
                         "n = []\n"
                         "@on_init\ndef init(): n.append(1)\n"
                         "def count(): return len(n)\n"}};
  project.runtime.run_init_hooks();
  CHECK(project.json("count") == "1");
  project.runtime.unload();
  project.load();
  project.runtime.run_init_hooks();
  CHECK(project.json("count") == "1");
}

TEST_CASE("Python: modules have dotted names and exist once") {
  PythonProject project{
      tool_file("same"),
      tool_file("elsewhere", {}, "other/elsewhere.py"),
      {"tools/other/elsewhere.py", "from utils.validators import X\ndef elsewhere(): return X\n"},
      {"python/utils/validators.py", "X = 'namespace package'\n"},
      {"python/pkg/__init__.py", "Y = 'package'\n"},
      {"python/pkg/mod.py", "from . import Y\n"},
      {"python/_private.py", "raise ValueError('not imported on its own')\n"},
      {"python/tool_code.py",
       "import python.pkg.mod, pkg.mod, python.tool_code, sys\n"
       "def same(): return [python.pkg.mod is pkg.mod,\n"
       "                    python.tool_code is sys.modules['tool_code'], pkg.mod.Y, __name__]\n"}};
  CHECK(project.json("same") == R"([true,true,"package","tool_code"])");
  CHECK(project.json("elsewhere") == "\"namespace package\"");
}

TEST_CASE("Python: a file that is reached through a link is the same module") {
  PythonProject project({tool_file("f", {}, "linked.py"),
                         {"python/real.py",
                          "calls = []\ndef f():\n    calls.append(1)\n"
                          "    return [__name__, len(calls)]\n"}},
                        false);
  fs::create_symlink(project.files.root() / "python/real.py",
                     project.files.root() / "tools/linked.py");
  CHECK(messages(project.load()).empty());
  CHECK(project.json("f") == R"(["real",1])");
}

TEST_CASE("Python: names of the standard library are refused") {
  PythonProject project({tool_file("f", {}, "../python/email.py"),
                         {"python/email.py", "def f(): return 1\n"},
                         {"python/json/helpers.py", "x = 1\n"}},
                        /*load_now=*/false);
  CHECK(messages(project.load()) ==
        "python/email.py | the module name 'email' belongs to Python's standard library, and "
        "`import email` would give that one\n"
        "python/json/helpers.py | the module name 'json' belongs to Python's standard library, "
        "and `import json` would give that one\n");
}

TEST_CASE("Python: import errors say where and what to do") {
  PythonProject project({tool_file("f", {}, "../python/a.py"),
                         {"python/a.py", "import b\ndef f(): return 1\n"},
                         {"python/b.py", "\nimport not_installed_anywhere\n"},
                         {"python/c.py", "def f(:\n  pass\n"},
                         {"python/d.py", "x = 1\n\ny = x.nope\n"}},
                        /*load_now=*/false);
  const auto errors = project.load();
  CHECK(messages(errors) ==
        "python/b.py:2 | No module named 'not_installed_anywhere'\n"
        "python/c.py:1:7 | invalid syntax\n"
        "python/d.py:3 | 'int' object has no attribute 'nope'\n");
  CHECK(errors[0].hint.find("-m pip install not_installed_anywhere") != std::string::npos);
  CHECK(errors[0].detail.find("importlib") == std::string::npos);
  CHECK(errors[0].detail.find("a.py") != std::string::npos);
  CHECK(project.json("f") == "error: No module named 'not_installed_anywhere'");
}

TEST_CASE("Python: a function that is not there is named, with the nearest one") {
  PythonProject project(
      {tool_file("greeting"), {"python/near_miss.py", "def greting(): return 1\n"}}, false);
  project.files.write("tools/greeting.yml",
                      tool_file("greeting", {}, "../python/near_miss.py").second);
  const auto errors = project.load();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].message == "function 'greeting' not found in python/near_miss.py");
  CHECK(errors[0].hint == "did you mean 'greting'?");
}

TEST_CASE("Python: for one endpoint, only its module and those with hooks are imported") {
  PythonProject project({tool_file("f", {}, "../python/mine.py"),
                         {"python/mine.py", "def f(): return True\n"},
                         {"python/hooks.py",
                          "from mxcp.runtime import on_init as start\n"
                          "@start\ndef go():\n    import builtins\n    builtins.hook_ran = True\n"},
                         {"python/mentions.py", "# on_init is not used here\nraise SystemExit\n"},
                         {"python/broken.py", "import not_installed\n"}},
                        false);
  CHECK(messages(project.load(runtime::LoadScope::kEndpoint, "f")).empty());
  project.runtime.run_init_hooks();
  const python::GilAcquire gil;
  const auto ran = test::run_python(
      "import builtins, sys\n"
      "result = [getattr(builtins, 'hook_ran', 0), 'broken' in sys.modules, 'mine' in "
      "sys.modules]\n"
      "builtins.__dict__.pop('hook_ran', None)");
  CHECK(python::str_of(ran.get()) == "[True, False, True]");
}

TEST_CASE("Python: code inside a YAML file has the lines of that file") {
  PythonProject project{{"tools/inline.yml",
                         "mxcp: 1\n"
                         "tool:\n"
                         "  name: inline\n"
                         "  description: a test\n"
                         "  language: python\n"
                         "  parameters:\n"
                         "    - name: fail\n"
                         "      type: boolean\n"
                         "      description: whether to fail\n"
                         "  source:\n"
                         "    code: |\n"
                         "      TEXT = '''two\n"
                         "      lines'''\n"
                         "      def inline(fail):\n"
                         "          if fail:\n"
                         "              raise ValueError('here')\n"
                         "          return TEXT\n"}};
  CHECK(project.json("inline", R"({"fail":false})") == R"("two\nlines")");
  const auto result = project.call("inline", R"({"fail":true})");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().place == Place{"tools/inline.yml", 16, 0});
  CHECK(result.error().detail.find("              raise ValueError('here')") == std::string::npos);
  CHECK(result.error().detail.find("raise ValueError('here')") != std::string::npos);
}

TEST_CASE("Python: messages reach the client, awaited or not") {
  PythonProject project{
      tool_file("f"),
      tool_file("g"),
      {"python/tool_code.py",
       "import asyncio\n"
       "from mxcp.runtime import mcp\n"
       "def f():\n"
       "    asyncio.run(mcp.info('one', n=1))\n"
       "    mcp.warning({'two': 2})\n"
       "    mcp.progress(current=1, total=4)\n"
       "async def g():\n"
       "    await mcp.error('three')\n"
       "    await asyncio.gather(mcp.debug('four'), mcp.progress(0.5, None, 'x'))\n"}};
  CHECK(project.json("f") == "null");
  CHECK(project.json("g") == "null");
  CHECK(project.client->lines() ==
        std::vector<std::string>{R"(info f {"message":"one","n":1})", R"(warning f {"two":2})",
                                 "progress 1.0/4.0 ", R"(error g "three")", R"(debug g "four")",
                                 "progress 0.5/ x"});
}

TEST_CASE("Python: configuration and secrets are plain copies") {
  PythonProject project{
      {"mxcp-site.yml",
       "mxcp: 1\nproject: test\nprofile: default\nsecrets: [api]\n"
       "sql_tools:\n  enabled: true\n"},
      tool_file("f"),
      {"python/tool_code.py",
       "from mxcp.runtime import config\n"
       "def f():\n"
       "    config.site_config['project'] = 'changed'\n"
       "    return [config.get_secret('nope'), config.get_secret('nope', 'key'),\n"
       "            config.get_secret('nope', 'key', 'default'),\n"
       "            config.get_setting('project'), config.get_setting('sql_tools.enabled'),\n"
       "            config.get_setting('sql_tools.nope', 7), config.get_setting('a.b.c'),\n"
       "            type(config.user_config).__name__]\n"}};
  CHECK(project.json("f") == R"([null,null,"default","test",true,7,null,"dict"])");
}

TEST_CASE("Python: the caller is known to the call") {
  PythonProject project{
      tool_file("f"),
      tool_file("g"),
      {"python/tool_code.py",
       "from mxcp.sdk.auth.context import get_user_context\n"
       "from mxcp.sdk.executor import get_execution_context\n"
       "import threading\n"
       "def f():\n"
       "    user, context = get_user_context(), get_execution_context()\n"
       "    return [user and user.username, user and user.raw_profile,\n"
       "            context.get('transport'), context.get('request_headers'),\n"
       "            context.username]\n"
       "async def g():\n"
       "    seen = []\n"
       "    t = threading.Thread(target=lambda: seen.append(get_user_context()))\n"
       "    t.start(); t.join()\n"
       "    return [get_user_context().username, seen]\n"}};
  CHECK(project.json("f") == R"([null,null,"test",{},null])");
  auto call = project.make_call("f", "{}");
  call->caller.user = UserContext{};
  call->caller.user->username = "ada";
  call->caller.user->raw_profile = Object{{"role", "admin"}};
  call->caller.headers = {{"x-tenant", "7"}};
  CHECK(project.text(project.start(call).get()) ==
        R"(["ada",{"role":"admin"},"test",{"x-tenant":"7"},"ada"])");
  auto async_call = project.make_call("g", "{}");
  async_call->caller = call->caller;
  CHECK(project.text(project.start(async_call).get()) == R"(["ada",[null]])");
}

TEST_CASE("Python: a reload is queued, and its payload runs when the runtime says so") {
  PythonProject project{
      tool_file("f"),
      tool_file("g"),
      tool_file("ran"),
      {"python/tool_code.py",
       "from mxcp.runtime import reload_duckdb\n"
       "ran_ = []\n"
       "def payload(): ran_.append(1)\n"
       "async def broken():\n    ran_.append(2)\n    raise ValueError('payload')\n"
       "def f():\n"
       "    reload_duckdb(payload_func=payload, description='why')\n"
       "    reload_duckdb(broken)\n"
       "    return reload_duckdb()\n"
       "def g(): reload_duckdb('no function')\n"
       "def ran(): return ran_\n"}};
  CHECK(project.json("g") ==
        "error: payload_func must be a function without parameters, got "
        "'no function'");
  CHECK(project.json("f") == "null");
  REQUIRE(project.services.reloads.size() == 3);
  CHECK(project.services.reloads[0].second == "why");
  CHECK(project.json("ran") == "[]");
  CHECK(project.services.reloads[0].first().ok());
  CHECK(project.services.reloads[1].first().error().message == "payload");
  CHECK_FALSE(project.services.reloads[2].first);
  CHECK(project.json("ran") == "[1,2]");
  project.services.reloads_possible = false;
  CHECK(project.json("f") == "error: works only in a server (use serve)");
}

TEST_CASE("Python: plugins are made once and found by name") {
  const std::string site =
      "mxcp: 1\nproject: test\nprofile: default\n"
      "plugin:\n  - name: greeter\n    module: greet_plugin\n";
  PythonProject project{
      {"mxcp-site.yml", site},
      {"plugins/greet_plugin.py",
       "from mxcp.plugins import MXCPBasePlugin\n"
       "class MXCPPlugin(MXCPBasePlugin):\n"
       "    def __len__(self): return 0\n"
       "    def greet(self, name): return f'hello {name} {self._config} {self.get_username()}'\n"},
      tool_file("f"),
      {"python/tool_code.py",
       "from mxcp.runtime import plugins\n"
       "def f():\n"
       "    p = plugins.get('greeter')\n"
       "    return [plugins.list(), bool(p), p.greet('x'), plugins.get('nope')]\n"}};
  CHECK(project.json("f") == R"([["greeter"],true,"hello x {} None",null])");
}

TEST_CASE("Python: a plugin that cannot be made says why") {
  PythonProject project(
      {{"mxcp-site.yml",
        "mxcp: 1\nproject: test\nprofile: default\n"
        "plugin:\n"
        "  - name: a\n    module: with_udf\n"
        "  - name: b\n    module: no_class\n"
        "  - name: c\n    module: with_udf\n    config: nope\n"
        "  - name: d\n    module: absent\n"
        "  - name: e\n    module: calendar\n"
        "  - name: f\n    module: other\n"},
       {"plugins/calendar.py", "\n"},
       {"plugins/other.py", "\nclass MXCPPlugin: pass\n"},
       {"plugins/with_udf.py",
        "from mxcp.plugins import MXCPBasePlugin, udf\n"
        "class MXCPPlugin(MXCPBasePlugin):\n    @udf\n    def f(self, x) -> int: return x\n"
        "    @udf\n    async def g(self) -> int: return 1\n"},
       {"plugins/no_class.py", "\n"}},
      false);
  const auto errors = project.load();
  REQUIRE(errors.size() == 7);
  CHECK(errors[0].message == "plugin 'a': @udf f: parameter 'x' has no type; write x: str");
  CHECK(errors[0].place == Place{"plugins/with_udf.py", 3, 0});
  CHECK(errors[0].rule == rules::kPluginFunction);
  CHECK(errors[1].message.starts_with("plugin 'a': @udf g: an async function"));
  CHECK(errors[1].place == Place{"plugins/with_udf.py", 5, 0});
  CHECK(errors[2].message == "plugin 'b': module 'no_class' has no class MXCPPlugin");
  CHECK(errors[2].place == Place{"plugins/no_class.py", 0, 0});
  CHECK(errors[2].rule == rules::kPlugin);
  CHECK(errors[3].message.starts_with("plugin 'c': the plugin configuration 'nope' is not in"));
  CHECK(errors[3].place == Place{"mxcp-site.yml", 9, 5});
  CHECK(errors[3].rule == rules::kPluginConfig);
  CHECK(errors[4].message == "plugin 'd': No module named 'absent'");
  CHECK(errors[4].place == Place{"mxcp-site.yml", 12, 5});
  CHECK(errors[5].message ==
        "plugin 'e': the module name 'calendar' belongs to Python's standard library, which hides "
        "'plugins/calendar.py'");
  CHECK(errors[5].rule == rules::kPythonModule);
  CHECK(errors[6].message ==
        "plugin 'f': MXCPPlugin of module 'other' must derive from "
        "MXCPBasePlugin");
  CHECK(errors[6].place == Place{"plugins/other.py", 2, 0});
}

TEST_CASE("Python: outside of a runtime, mxcp.runtime says so") {
  test::start_interpreter();
  const python::GilAcquire gil;
  const auto result = test::run_python(
      "from mxcp.runtime import db, config, plugins, reload_duckdb\n"
      "result = []\n"
      "for f in (lambda: db.execute('SELECT 1'), lambda: config.get_secret('x'), reload_duckdb):\n"
      "    try: f()\n"
      "    except RuntimeError as e: result.append(str(e)[:37])\n"
      "result += [config.user_config, plugins.get('x'), plugins.list()]\n");
  CHECK(python::str_of(result.get()) ==
        "['mxcp.runtime is not available here: i', 'mxcp.runtime is not available here: i', "
        "'mxcp.runtime is not available here: i', None, None, []]");
}
