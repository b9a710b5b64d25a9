#include "runtime/watch.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "support/temp_project.h"

using namespace mxcp;
using runtime::Watch;

namespace {

void write(const fs::path& file, const std::string& text = "x") {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

// Collects what a watch tells.
class Told {
 public:
  explicit Told(Watch::Options options) {
    auto started = Watch::start(std::move(options), [this](Watch::Changes changes) {
      const std::lock_guard lock(mutex_);
      files_.merge(changes.files);
      lost_ |= changes.lost;
      ++times_;
      changed_.notify_all();
    });
    REQUIRE(started.ok());
    watch_ = *std::move(started);
  }

  // Waits until this file was told; gives all that was told, and forgets it.
  std::set<fs::path> until(const fs::path& file) {
    std::unique_lock lock(mutex_);
    REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds(30), [&] { return files_.contains(file); }));
    return std::exchange(files_, {});
  }
  void until_lost() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return lost_; }));
  }
  int times() {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<fs::path> files_;
  bool lost_ = false;
  int times_ = 0;
  std::unique_ptr<Watch> watch_;
};

}  // namespace

TEST_CASE("files that define the project are told, others are not") {
  const test::TempProject project({{"tools/a.yml", "a"}, {"sql/deep/q.sql", "q"}});
  const fs::path root = project.root();
  write(root / ".git/config.yml");
  write(root / "venv/pyvenv.cfg");
  write(root / "venv/lib/x.py");
  Told told({.root = root, .quiet = std::chrono::milliseconds(20)});
  write(root / ".git/config.yml", "changed");
  write(root / "venv/lib/x.py", "changed");
  write(root / "data/db.duckdb", "changed");
  write(root / "tools/.a.yml.swp", "changed");
  write(root / "tools/a.yml", "changed");
  CHECK(told.until(root / "tools/a.yml") == std::set<fs::path>{root / "tools/a.yml"});
  write(root / "sql/deep/q.sql", "changed");
  CHECK(told.until(root / "sql/deep/q.sql") == std::set<fs::path>{root / "sql/deep/q.sql"});
  fs::remove(root / "tools/a.yml");
  told.until(root / "tools/a.yml");
}

TEST_CASE("an editor that writes beside and renames is understood") {
  const test::TempProject project({{"tools/a.yml", "a"}});
  const fs::path root = project.root();
  Told told({.root = root, .quiet = std::chrono::milliseconds(20)});
  write(root / "tools/a.yml~", "new");
  fs::rename(root / "tools/a.yml~", root / "tools/a.yml");
  CHECK(told.until(root / "tools/a.yml") == std::set<fs::path>{root / "tools/a.yml"});
}

TEST_CASE("new folders are watched, with what is in them already") {
  const test::TempProject project({{"tools/a.yml", "a"}});
  const fs::path root = project.root();
  Told told({.root = root, .quiet = std::chrono::milliseconds(20)});
  write(root / "tools/x/y/b.yml");
  told.until(root / "tools/x/y/b.yml");
  write(root / "tools/x/y/c.sql");
  told.until(root / "tools/x/y/c.sql");
  fs::rename(root / "tools/x", root.parent_path() / (root.filename().string() + "-gone"));
  told.until_lost();
  fs::remove_all(root.parent_path() / (root.filename().string() + "-gone"));
}

TEST_CASE("a file outside, by its name only") {
  const test::TempProject project({{"tools/a.yml", "a"}});
  const test::TempProject home({{"config.yml", "a"}});
  Told told({.root = project.root(),
             .files = {home.root() / "config.yml"},
             .quiet = std::chrono::milliseconds(20)});
  write(home.root() / "other.yml");
  write(home.root() / "config.yml", "changed");
  CHECK(told.until(home.root() / "config.yml") == std::set<fs::path>{home.root() / "config.yml"});
}

TEST_CASE("changes of one moment are told together") {
  const test::TempProject project({{"tools/a.yml", "a"}});
  const fs::path root = project.root();
  Told told({.root = root, .quiet = std::chrono::milliseconds(800)});
  for (int i = 0; i < 50; ++i) write(root / ("tools/t" + std::to_string(i) + ".yml"));
  CHECK(told.until(root / "tools/t49.yml").size() == 50);
  CHECK(told.times() == 1);
}

TEST_CASE("a link to a file changes with what it leads to") {
  const test::TempProject project({{"tools/a.yml", "a"}});
  const test::TempProject elsewhere({{"shared/b.yml", "b"}, {"shared/q.txt", "q"}});
  const fs::path root = project.root();
  fs::create_symlink(elsewhere.root() / "shared/b.yml", root / "tools/b.yml");
  Told told({.root = root, .quiet = std::chrono::milliseconds(20)});
  write(elsewhere.root() / "shared/b.yml", "changed");
  CHECK(told.until(root / "tools/b.yml") == std::set<fs::path>{root / "tools/b.yml"});
  // One that comes later, whose file is exchanged.
  fs::create_symlink(elsewhere.root() / "shared/q.txt", root / "tools/q.sql");
  told.until(root / "tools/q.sql");
  write(elsewhere.root() / "shared/new", "new");
  fs::rename(elsewhere.root() / "shared/new", elsewhere.root() / "shared/q.txt");
  told.until(root / "tools/q.sql");
}
