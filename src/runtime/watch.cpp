#include "runtime/watch.h"

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"

#ifdef __linux__
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#endif

namespace mxcp::runtime {

#ifdef __linux__

namespace {

using Clock = std::chrono::steady_clock;

// Not IN_MODIFY: a file counts when its writer closes it.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR;
constexpr std::size_t kMaxFolders = 4096;

bool is_skipped_folder(const fs::path& folder) {
  const std::string name = folder.filename().string();
  std::error_code ignored;
  return name.starts_with(".") || name == "__pycache__" || name == "node_modules" ||
         name == "site-packages" || fs::exists(folder / "pyvenv.cfg", ignored);
}

bool defines_something(const fs::path& file) {
  const std::string name = file.filename().string();
  if (name.starts_with(".")) return false;  // editors' temporary files
  const std::string ending = file.extension().string();
  return ending == ".yml" || ending == ".yaml" || ending == ".sql" || ending == ".py";
}

// Mounted ConfigMaps change by exchanging this link, and the files below it have no events.
bool is_exchanged_link(std::string_view name) {
  return name == "..data";
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

struct Watch::Impl {
  Impl(Options given, Callback call)
      : options(std::move(given)),
        callback(std::move(call)),
        events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
        stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  struct Folder {
    fs::path path;
    bool whole = false;           // below the root: every defining file and folder counts
    std::set<std::string> files;  // names that count whatever they are called
    std::map<std::string, std::set<fs::path>> links;  // to a file in it, by the file's name
  };

  Status begin();
  Status add_folder(const fs::path& path, bool whole, const std::string& file = {},
                    const std::string& target = {}, const fs::path& link = {});
  // A link to a file changes with what it leads to, wherever that is.
  Status follow(const fs::path& link);
  // The folder and those below it; `found` gets the files that are there already.
  Status add_tree(const fs::path& root, std::set<fs::path>* found);
  void run();
  void read_events(Changes& changes);
  void take(const inotify_event& event, Changes& changes);

  const Options options;
  const Callback callback;
  const Descriptor events;
  const Descriptor stop;
  std::map<int, Folder> folders;  // by watch; begin() and then the thread
  std::thread thread;
};

Status Watch::Impl::begin() {
  if (events.get() < 0 || stop.get() < 0) {
    return Error{Code::kUnavailable,
                 std::string("files cannot be watched: ") + std::strerror(errno)};
  }
  MXCP_TRY(add_tree(options.root, nullptr));
  for (const fs::path& file : options.files) {
    std::error_code ignored;
    if (!fs::is_directory(file.parent_path(), ignored)) continue;
    MXCP_TRY(add_folder(file.parent_path(), false, file.filename().string()));
    MXCP_TRY(follow(file));
  }
  thread = std::thread([this] { run(); });
  return {};
}

Status Watch::Impl::follow(const fs::path& link) {
  constexpr int kMaxLinks = 16;  // the links may go round in a circle
  std::error_code error;
  fs::path at = link;
  for (int i = 0; i < kMaxLinks && fs::is_symlink(at, error); ++i) {
    const fs::path target = fs::read_symlink(at, error);
    if (error) return {};
    at = (at.parent_path() / target).lexically_normal();
    const fs::path folder = at.parent_path();
    if (!fs::is_directory(folder, error)) return {};
    MXCP_TRY(add_folder(folder, false, {}, at.filename().string(), link));
  }
  return {};
}

Status Watch::Impl::add_folder(const fs::path& path, bool whole, const std::string& file,
                               const std::string& target, const fs::path& link) {
  if (folders.size() >= kMaxFolders) {
    return Error{Code::kUnavailable,
                 "the project has too many folders to watch",
                 {},
                 "'mxcp serve --no-watch' serves it as it is"};
  }
  const int id = ::inotify_add_watch(events.get(), path.c_str(), kEvents);
  if (id < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return {};  // gone meanwhile
    return Error{Code::kUnavailable,
                 "the folder '" + path.string() + "' cannot be watched: " + std::strerror(errno)};
  }
  Folder& folder = folders[id];
  // The same folder may be reached by another path: its files are called as in the project.
  if (folder.path.empty() || whole) folder.path = path;
  folder.whole = folder.whole || whole;
  if (!file.empty()) folder.files.insert(file);
  if (!link.empty()) folder.links[target].insert(link);
  return {};
}

Status Watch::Impl::add_tree(const fs::path& root, std::set<fs::path>* found) {
  MXCP_TRY(add_folder(root, true));
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      if (it->is_symlink(ignored) || is_skipped_folder(it->path())) continue;
      MXCP_TRY(add_tree(it->path(), found));
    } else if (defines_something(it->path())) {
      if (it->is_symlink(ignored)) MXCP_TRY(follow(it->path()));
      if (found != nullptr) found->insert(it->path());
    }
  }
  return {};
}

void Watch::Impl::run() {
  Changes changes;
  Clock::time_point first, latest;
  const auto pending = [&] { return changes.lost || !changes.files.empty(); };
  while (true) {
    int timeout = -1;
    if (pending()) {
      const auto due = std::min(latest + options.quiet, first + options.patience);
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
      timeout = static_cast<int>(std::max<long>(left.count(), 0));
    }
    pollfd fds[] = {{stop.get(), POLLIN, 0}, {events.get(), POLLIN, 0}};
    const int ready = ::poll(fds, 2, timeout);
    if (fds[0].revents != 0) return;
    if (ready > 0) {
      const bool was_pending = pending();
      read_events(changes);
      latest = Clock::now();
      if (!was_pending) first = latest;
      if (latest < first + options.patience) continue;
    }
    if (pending()) callback(std::exchange(changes, {}));
  }
}

void Watch::Impl::read_events(Changes& changes) {
  alignas(inotify_event) char buffer[16 * 1024];
  while (true) {
    const ssize_t size = ::read(events.get(), buffer, sizeof buffer);
    if (size <= 0) return;
    for (const char* at = buffer; at < buffer + size;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      take(event, changes);
      at += sizeof(inotify_event) + event.len;
    }
  }
}

void Watch::Impl::take(const inotify_event& event, Changes& changes) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    changes.lost = true;
    // Folders that were made meanwhile had no event of their own.
    if (const auto added = add_tree(options.root, nullptr); !added.ok()) {
      log::warning("watch", "{}", added.error().text());
    }
    return;
  }
  const auto found = folders.find(event.wd);
  if (found == folders.end()) return;
  if ((event.mask & IN_IGNORED) != 0) {  // the folder is gone
    folders.erase(found);
    return;
  }
  if (event.len == 0) return;
  const Folder& folder = found->second;
  const std::string name = event.name;
  const fs::path path = folder.path / name;
  if (const auto links = folder.links.find(name); links != folder.links.end()) {
    changes.files.insert(links->second.begin(), links->second.end());
  }
  if (is_exchanged_link(name)) {
    changes.lost = true;
  } else if ((event.mask & IN_ISDIR) != 0) {
    if (!folder.whole || is_skipped_folder(path)) return;
    if ((event.mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
      changes.lost = true;  // with all that was in it
    } else if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
      if (const auto added = add_tree(path, &changes.files); !added.ok()) {
        log::warning("watch", "{}", added.error().text());
      }
    }
  } else if (folder.files.contains(name) || (folder.whole && defines_something(path))) {
    // A link or an empty file has no other event; a file that is being written has one more.
    changes.files.insert(path);
    if (const auto followed = follow(path); !followed.ok()) {
      log::warning("watch", "{}", followed.error().text());
    }
  }
}

Watch::Watch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Watch::~Watch() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(impl_->stop.get(), &one, sizeof one);
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::unique_ptr<Watch>> Watch::start(Options options, Callback callback) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(callback));
  MXCP_TRY(impl->begin());
  return std::unique_ptr<Watch>(new Watch(std::move(impl)));
}

#else

struct Watch::Impl {};
Watch::Watch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Watch::~Watch() = default;
Result<std::unique_ptr<Watch>> Watch::start(Options, Callback) {
  return Error{Code::kUnavailable, "this system cannot watch files for changes"};
}

#endif

}  // namespace mxcp::runtime
