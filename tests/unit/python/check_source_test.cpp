#include "harness.h"

using namespace mxcp;
using mxcp::test::tool_file;

namespace {

// "place | message | hint" of every complaint about one tool `f`.
std::vector<std::string> complaints(const std::vector<std::string>& parameters,
                                    const std::string& code, const std::string& tool = "f") {
  test::start_interpreter();
  const test::TempProject files{tool_file(tool, parameters), {"python/tool_code.py", code}};
  const auto project = files.load();
  const auto endpoint = project->find(project::EndpointKind::kTool, tool);
  REQUIRE(endpoint);
  std::vector<std::string> texts;
  for (const Error& error : python::check_source(*endpoint)) {
    texts.push_back(error.place.text() + " | " + error.message + " | " + error.hint);
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("check_source: a function that fits has no complaints") {
  CHECK(complaints({"a: string"}, "def f(a): pass\n").empty());
  CHECK(complaints({"a: string"}, "import x\n\nasync def f(a, b=1, *args, c=2): pass\n").empty());
  CHECK(complaints({"a: string"}, "def f(**kwargs): pass\n").empty());
  CHECK(complaints({}, "def f(): pass\n").empty());
  CHECK(complaints({"a: string"}, "def f(*, a): pass\n").empty());
}

TEST_CASE("check_source: what is only known at run time is not complained about") {
  CHECK(complaints({"a: string"}, "from other import f\n").empty());
  CHECK(complaints({"a: string"}, "from other import *\n").empty());
  CHECK(complaints({"a: string"}, "f = lambda a: a\n").empty());
  CHECK(complaints({"a: string"}, "@decorated\ndef f(): pass\n").empty());
  CHECK(complaints({"a: string"}, "try:\n  def f(b): pass\nexcept X:\n  def f(c): pass\n").empty());
  CHECK(complaints({"a: string"}, "with x as f: pass\n").empty());
  CHECK(complaints({"a: string"}, "class f(Base): pass\n").empty());
  CHECK(complaints({"a: string"}, "@dataclass\nclass f:\n  a: str\n").empty());
  CHECK(complaints({"a: string"}, "class f:\n  def __iter__(self): pass\n").empty());
  CHECK(complaints({"a: string"}, "f = make()\n").empty());
  CHECK(complaints({"a: string"}, "f = None\nset_up()\n").empty());
  CHECK(complaints({"a: string"}, "f = 5\nf = g\n").empty());
}

TEST_CASE("check_source: a name that stands for no function") {
  CHECK(complaints({"a: string"}, "import x\nf = 5\n") ==
        Texts{"python/tool_code.py:2:1 | 'f' must be a function, and it is a number | write def "
              "f(a)"});
  CHECK(complaints({}, "f = [1]\n").front().find("it is a list") != std::string::npos);
  CHECK(complaints({}, "f = f'{1}'\n").front().find("it is a text") != std::string::npos);
  CHECK(
      complaints({}, "class f:\n  def run(self): pass\n") ==
      Texts{"python/tool_code.py:1:1 | 'f' must be a function, and it is a class | write def f()"});
}

TEST_CASE("check_source: annotations are judged where it is certain what they name") {
  const auto warned = [](const std::string& annotation, const std::string& head = "") {
    return !complaints({"a: string"}, head + "def f(a: " + annotation + "): pass\n").empty();
  };
  CHECK(warned("int"));
  CHECK(warned("Path", "from pathlib import Path\n"));
  CHECK(warned("p.Path | None", "import pathlib as p\n"));
  CHECK(warned("E", "import enum\nclass E(enum.Enum): A = 1\n"));
  CHECK(warned("Derived",
               "from enum import Enum\nclass E(str, Enum): pass\nclass Derived(E): A = 1\n"));
  CHECK(warned("M", "from pydantic import BaseModel\nclass M(BaseModel): a: int\n"));
  CHECK(warned("D", "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass D: a: int\n"));
  CHECK(warned("Literal[1, 2]", "from typing import Literal\n"));
  // Not known, or one that fits among them.
  CHECK_FALSE(warned("Path"));
  CHECK_FALSE(warned("Path", "from pathlib import Path\nPath = str\n"));
  CHECK_FALSE(warned("Path", "from .pathlib import Path\n"));
  CHECK_FALSE(warned("Path | str", "from pathlib import Path\n"));
  CHECK_FALSE(warned("E", "from here import Enum\nclass E(Enum): A = 1\n"));
  CHECK_FALSE(warned("E", "class E: pass\n"));
  CHECK_FALSE(warned("Literal['x']", "from typing import Literal\n"));
  CHECK_FALSE(warned("'Path'", "from pathlib import Path\n"));
}

TEST_CASE("check_source: a missing function names the nearest one") {
  CHECK(
      complaints({"a: string"}, "def get_user(a): pass\n", "get_users") ==
      Texts{"python/tool_code.py:1:1 | function 'get_users' not found in python/tool_code.py | did "
            "you mean 'get_user'? it must be named 'get_users'"});
  CHECK(
      complaints({"a: string"}, "x = 1\n", "get_users") ==
      Texts{
          "python/tool_code.py | function 'get_users' not found in python/tool_code.py | the file "
          "must define, outside of any class: def get_users(a)"});
  // A method is not a function of the module.
  CHECK(complaints({}, "class C:\n  def f(self): pass\n").size() == 1);
}

TEST_CASE("check_source: a name that no function can have stands for one that it can") {
  CHECK(complaints({}, "def get_user(): pass\n", "get-user").empty());
  CHECK(complaints({}, "def a_b_c(): pass\n", "a.b-c").empty());
  CHECK(complaints({}, "def class_(): pass\n", "class").empty());
  CHECK(complaints({}, "def _2fast(): pass\n", "2fast").empty());
  CHECK(complaints({}, "def größe_1(): pass\n", "größe–1").empty());
  CHECK(complaints({}, "def match(): pass\n", "match").empty());
  CHECK(complaints({}, "def other(): pass\n", "get-users").front() ==
        "python/tool_code.py | function 'get_users' not found in python/tool_code.py | the file "
        "must define, outside of any class: def get_users()");
  CHECK(complaints({}, "def get_user(): pass\n", "get-users").front() ==
        "python/tool_code.py:1:1 | function 'get_users' not found in python/tool_code.py | did you "
        "mean 'get_user'? it must be named 'get_users'");
}

TEST_CASE("check_source: parameters must fit, and the line of the function is given") {
  CHECK(
      complaints({"name: string", "formal: boolean"}, "\n\ndef f(nam, formal): pass\n") ==
      Texts{"python/tool_code.py:3:1 | function 'f' has no parameter 'name', which tools/f.yml "
            "declares | did you mean 'nam'?",
            "python/tool_code.py:3:1 | parameter 'nam' of function 'f' has no default value and is "
            "not declared in tools/f.yml | did you mean 'name'?"});
  CHECK(complaints({"a: string"}, "def f(a, /): pass\n") ==
        Texts{"python/tool_code.py:1:1 | parameter 'a' of function 'f' is positional-only, and "
              "arguments are passed by name | remove the '/' from its parameters"});
  CHECK(
      complaints({}, "def f(*, key): pass\n") ==
      Texts{"python/tool_code.py:1:1 | parameter 'key' of function 'f' has no default value and is "
            "not declared in tools/f.yml | declare it under `parameters`, or give it a default "
            "value"});
  CHECK(
      complaints({"a: string"}, "def f(*args): pass\n") ==
      Texts{
          "python/tool_code.py:1:1 | function 'f' has no parameter 'a', which tools/f.yml declares "
          "| write def f(a)"});
}

TEST_CASE("check_source: a file that does not parse has the place of the mistake") {
  CHECK(complaints({}, "def f():\n    return (1,\n")
            .front()
            .starts_with("python/tool_code.py:2:12 | "
                         "'(' was never closed"));
  CHECK(complaints({}, "x = 1\n  y = 2\n").front().starts_with("python/tool_code.py:2:"));
  CHECK(complaints({}, std::string("a = 1\0", 6)).size() == 1);
}

TEST_CASE("check_source: code in a YAML file has that file's lines and columns") {
  test::start_interpreter();
  const test::TempProject files{{"tools/f.yml",
                                 "mxcp: 1\n"
                                 "tool:\n"
                                 "  name: f\n"
                                 "  description: a test\n"
                                 "  language: python\n"
                                 "  source:\n"
                                 "    code: |\n"
                                 "      def f(:\n"
                                 "        pass\n"}};
  const auto project = files.load();
  const auto endpoint = project->find(project::EndpointKind::kTool, "f");
  REQUIRE(endpoint);
  const auto errors = python::check_source(*endpoint);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].place == Place{"tools/f.yml", 8, 13});
}

TEST_CASE("check_source: a file that takes a name of the standard library is refused") {
  test::start_interpreter();
  const test::TempProject files{tool_file("f", {}, "../python/email.py"),
                                tool_file("g", {}, "../python/mail/email.py"),
                                {"python/email.py", "def f(): pass\n"},
                                {"python/mail/email.py", "def g(): pass\n"}};
  const auto project = files.load();
  const auto errors = python::check_source(*project->find(project::EndpointKind::kTool, "f"));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].message.starts_with("python/email.py: the module name 'email' belongs to"));
  CHECK(errors[0].place.file == "tools/f.yml");
  CHECK(python::check_source(*project->find(project::EndpointKind::kTool, "g")).empty());
}
