#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;
using testing::outcome_of;
using testing::set_search_path;
using testing::soon;
using testing::TempFolder;

std::string open_error(DatabaseOptions options) {
  set_search_path();
  auto opened = Database::open(std::move(options));
  if (opened.ok()) return "opened";
  CHECK(opened.error().code == Code::kDatabase);
  return opened.error().message;
}

TEST_CASE("the folder of a new database is made") {
  set_search_path();
  TempFolder folder;
  const fs::path path = folder.path() / "a" / "b" / "new.duckdb";
  CHECK(open_error({.path = path, .readonly = true}) ==
        "the database " + path.string() + " does not exist, and read-only it is not created");
  CHECK(!fs::exists(folder.path() / "a"));
  auto opened = Database::open({.path = path});
  REQUIRE(opened.ok());
  CHECK(fs::exists(path));
  CHECK((*opened)->version().starts_with("v"));
  CHECK((*opened)->options().max_connections >= 4);
}

TEST_CASE("what asked for read-only is named when there is no database") {
  set_search_path();
  TempFolder folder;
  const auto hint = [&](const std::string& by) {
    const auto opened =
        Database::open({.path = folder.path() / "no.duckdb", .readonly = true, .readonly_by = by});
    return opened.ok() ? "opened" : opened.error().hint;
  };
  CHECK(hint("MXCP_READONLY") == "create it first, or take away MXCP_READONLY");
  CHECK(hint("") == "create it first, or set readonly: false");
}

TEST_CASE("files that SQL reads by a relative path") {
  TempFolder files;
  REQUIRE(write_file(files.path() / "some.csv", "a,b\n1,2\n").ok());
  const std::string rows = "[{\"a\":1,\"b\":2}]";
  {
    Fixture f({.files = files.path()});
    for (const char* const sql :
         {"FROM 'some.csv'", "FROM read_csv('some.csv')", "FROM read_csv('so*.csv')"}) {
      CAPTURE(sql);
      CHECK(f.run(sql) == rows);
    }
    // Of one connection only, as every setting.
    auto lease = f.lease();
    CHECK(outcome_of(lease.execute("SET file_search_path = '/nowhere'; FROM 'some.csv'", {})) !=
          rows);
    CHECK(f.run("FROM 'some.csv'") == rows);
  }
  // A comma would end the path.
  Fixture f({.files = files.path() / "a,b"});
  CHECK(f.run("SELECT current_setting('file_search_path') AS p") == "[{\"p\":\"\"}]");
}

TEST_CASE("a file that is no database, a folder, a folder that cannot be made") {
  TempFolder folder;
  const fs::path text = folder.path() / "text.duckdb";
  REQUIRE(write_file(text, std::string(5000, 'x')).ok());
  CHECK(open_error({.path = text}) ==
        "the database " + text.string() + " is not a DuckDB database");
  const fs::path small = folder.path() / "small.duckdb";
  REQUIRE(write_file(small, "hello").ok());
  CHECK(open_error({.path = small}).find(small.string()) != std::string::npos);
  CHECK(open_error({.path = folder.path()}) ==
        "the database " + folder.path().string() + " is a folder, not a file");
  CHECK(open_error({.path = text / "x.duckdb"})
            .starts_with("cannot open the database " + (text / "x.duckdb").string()) == false);
  CHECK(open_error({.path = text / "sub" / "x.duckdb"})
            .starts_with("cannot create the folder " + (text / "sub").string()));
}

TEST_CASE("a database of a newer version") {
  TempFolder folder;
  set_search_path();
  const fs::path path = folder.path() / "future.duckdb";
  {
    auto made = Database::open({.path = path});
    REQUIRE(made.ok());
  }
  // The storage version is the number behind the magic word; a checksum guards the block.
  auto bytes = read_file(path);
  REQUIRE(bytes.ok());
  REQUIRE(bytes->substr(8, 4) == "DUCK");
  const std::string damaged = bytes->substr(0, 12) + '\x7f' + bytes->substr(13);
  REQUIRE(write_file(path, damaged).ok());
  const std::string message = open_error({.path = path});
  CAPTURE(message);
  CHECK(message.find(path.string()) != std::string::npos);
}

TEST_CASE("no permission") {
  if (geteuid() == 0) return;  // root may everything
  TempFolder folder;
  const fs::path path = folder.path() / "secret.duckdb";
  REQUIRE(write_file(path, "").ok());
  REQUIRE(chmod(path.c_str(), 0) == 0);
  CHECK(open_error({.path = path}) ==
        "the database " + path.string() + " cannot be opened: permission denied");
}

TEST_CASE("a read-only database can be read and not written") {
  Fixture f;
  f.run("CREATE TABLE t AS SELECT 1 AS a");
  const fs::path path = f.database->options().path;
  f.database.reset();
  auto opened = Database::open({.path = path, .readonly = true});
  REQUIRE(opened.ok());
  Lease lease = *(*opened)->lease(soon());
  CHECK(outcome_of(lease.execute("SELECT a, get_username() AS u FROM t", {})) ==
        "[{\"a\":1,\"u\":null}]");
  CHECK(outcome_of(lease.execute("INSERT INTO t VALUES (2)", {})).find("read-only") !=
        std::string::npos);
}

// Holds a POSIX lock on the file in a process of its own, as DuckDB does it.
class Holder {
 public:
  explicit Holder(const fs::path& path) {
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    REQUIRE(pipe(release_) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      // Only system calls: the parent has threads.
      const int file = open(path.c_str(), O_RDWR);
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      const char ok = fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
      [[maybe_unused]] auto written = write(ready[1], &ok, 1);
      close(release_[1]);
      char byte;
      [[maybe_unused]] auto got = read(release_[0], &byte, 1);
      _exit(0);
    }
    char answer = 'n';
    REQUIRE(read(ready[0], &answer, 1) == 1);
    REQUIRE(answer == 'y');
    close(ready[0]);
    close(ready[1]);
    close(release_[0]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    close(release_[1]);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  int release_[2];
  pid_t pid_;
};

TEST_CASE("a database that another process holds names the process") {
  Fixture f;
  const fs::path path = f.database->options().path;
  f.database.reset();
  {
    const Holder holder(path);
    const std::string message = open_error({.path = path});
    CHECK(message.starts_with("the database " + path.string() + " is in use by process " +
                              std::to_string(holder.pid()) + " ("));
    CHECK(message.find("engine_tests") != std::string::npos);
  }
  CHECK(open_error({.path = path}) == "opened");
}

TEST_CASE("the managed file is recognised under every name") {
  Fixture f;
  const fs::path path = f.database->options().path;
  CHECK(f.database->is_managed(path));
  CHECK(f.database->is_managed(path.parent_path() / "." / path.filename()));
  fs::create_symlink(path, f.folder.path() / "link");
  CHECK(f.database->is_managed(f.folder.path() / "link"));
  fs::create_hard_link(path, f.folder.path() / "hard");
  CHECK(f.database->is_managed(f.folder.path() / "hard"));
  CHECK(!f.database->is_managed(f.folder.path() / "other.duckdb"));
  REQUIRE(write_file(f.folder.path() / "other.duckdb", "x").ok());
  CHECK(!f.database->is_managed(f.folder.path() / "other.duckdb"));
  // Looking did not cost DuckDB its lock.
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(path.c_str(), O_RDWR);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    _exit(fcntl(file, F_SETLK, &lock) == 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("secrets are created once, quoted, and unknown types are skipped") {
  Fixture f({.secrets = {
                 {"api \"x\"", "http",
                  Object{{"bearer_token", "it's"},
                         {"extra_http_headers", Object{{"k'1", "v'1"}, {"n", 5}}},
                         {"scope", Array{"https://a", "https://b'"}}}},
                 {"only_python", "custom", Object{{"key", "value"}}},
                 {"wrong", "http", Object{{"no_such_parameter", "s3cr3t"}}},
             }});
  CHECK(
      f.run("SELECT name, type, scope FROM duckdb_secrets()") ==
      "[{\"name\":\"api \\\"x\\\"\",\"type\":\"http\",\"scope\":[\"https://a\",\"https://b'\"]}]");
  CHECK(f.run("SELECT name FROM which_secret('https://b''/c', 'http')") ==
        "[{\"name\":\"api \\\"x\\\"\"}]");
  // Seen by every connection.
  Lease one = f.lease();
  Lease two = f.lease();
  CHECK(outcome_of(two.execute("SELECT count(*) AS n FROM duckdb_secrets()", {})) == "[{\"n\":1}]");
}

TEST_CASE("extensions: what is there is loaded, what is not is an error with its name") {
  TempFolder folder;
  set_search_path();
  auto opened = Database::open({.path = folder.path() / "x.duckdb", .extensions = {{"json", ""}}});
  REQUIRE(opened.ok());
  const std::string message = open_error(
      {.path = folder.path() / "y.duckdb", .extensions = {{"/nowhere/none.duckdb_extension", ""}}});
  CHECK(message.starts_with("cannot load the DuckDB extension '/nowhere/none.duckdb_extension': "));
  // The failed opening left nothing open.
  CHECK(open_error({.path = folder.path() / "y.duckdb"}) == "opened");
}

TEST_CASE("the number of threads is a setting") {
  Fixture f({.threads = 1});
  CHECK(f.value("SELECT current_setting('threads')") == "1");
}

}  // namespace
}  // namespace mxcp::engine
