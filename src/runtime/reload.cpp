// Runtime, second part: what changes under a running server - reloads with the database closed, and
// changed definitions.
#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "runtime/runtime_impl.h"

namespace mxcp::runtime {

namespace {

std::vector<Error> file_errors(const project::Project& project) {
  std::vector<Error> errors;
  for (const auto& file : project.files()) {
    errors.insert(errors.end(), file.errors.begin(), file.errors.end());
  }
  return errors;
}

}  // namespace

Status Runtime::request_reload(std::function<Status()> payload, std::string description) {
  if (!impl_->options.server) {
    return Error{Code::kUnavailable,
                 "reload_duckdb() works only while a server is running",
                 {},
                 "start it with 'mxcp serve'"};
  }
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->started || impl_->stopping) {
      log::warning("runtime", "a reload was asked for {} the server runs, and is ignored",
                   impl_->stopping ? "after" : "before");
      return {};
    }
    impl_->reloads.push_back({std::move(payload), std::move(description), {}});
  }
  impl_->reload_wanted.notify_all();
  return {};
}

// --- reload
// ---------------------------------------------------------------------------------------

void Runtime::Impl::reload_loop() {
  std::unique_lock lock(mutex);
  while (true) {
    reload_wanted.wait(lock, [this] { return stopping || !reloads.empty(); });
    if (stopping) return;
    const Reload request = std::move(reloads.front());
    reloads.pop_front();
    reload_running = true;
    lock.unlock();
    Reloaded done = request.changes ? refresh(*request.changes) : reload(request);
    lock.lock();
    reload_running = false;
    last_reload_error = std::move(done.problem);
    ++reloads_completed;
    if (!last_reload_error.empty()) ++reloads_failed;
    lock.unlock();
    if (done.changed && on_reload) on_reload();
    lock.lock();
  }
}

// The six steps.
Runtime::Impl::Reloaded Runtime::Impl::reload(const Reload& request) {
  log::info("runtime", "reload begins: {}", request.description);
  std::vector<std::string> problems;

  // Drain: the call that asked for this reload is answered first, like every other.
  drain();

  // Close. From here to the end of the payload nobody opens the database again.
  on_main([this] { user_code.run_shutdown_hooks(); });
  {
    const std::lock_guard lock(mutex);
    database_blocked = true;
  }
  close_database();

  // The payload has the file to itself.
  if (request.payload) {
    if (auto done = request.payload(); !done.ok()) {
      problems.push_back("the reload payload failed: " + done.error().text());
    }
  }

  restart(problems);
  gate.open();
  std::string summary;
  for (const std::string& problem : problems) {
    log::error("runtime", "reload: {}", problem);
    summary += (summary.empty() ? "" : "; ") + problem;
  }
  log::info("runtime", "reload ends: {}", request.description);
  return {std::move(summary)};
}

// Closes the gate and waits for the running calls.
void Runtime::Impl::drain() {
  gate.close();
  if (gate.wait_idle(Clock::system().now() + options.drain_limit)) return;
  log::warning("runtime", "reload: cancelling {} call(s) that did not finish", gate.running());
  gate.cancel_running(Code::kUnavailable);
  gate.wait_idle(Clock::system().now() + kCancelLimit);
}

// Fresh configuration, fresh modules, an open database, init hooks.
void Runtime::Impl::restart(std::vector<std::string>& problems) {
  auto fresh = project::Project::load(options.load);
  std::vector<Error> broken;
  if (!fresh.ok()) {
    broken.push_back(fresh.error());
  } else if (!options.serve_broken) {
    broken = file_errors(**fresh);
  }
  for (const Error& error : broken) {
    problems.push_back("the project could not be read again, the old one stays: " + error.text());
  }
  {
    const std::lock_guard lock(mutex);
    if (broken.empty()) current_project = derived(*fresh, nullptr);
    database_blocked = false;
  }
  database_unblocked.notify_all();
  {
    const std::lock_guard one(opening);
    wait_until.reset();
  }
  if (auto opened = open_database(); !opened.ok()) problems.push_back(opened.error().text());
  on_main([&] {
    user_code.unload();
    for (const Error& error : user_code.load(current_project, LoadScope::kAll, {})) {
      problems.push_back(error.text());
    }
    user_code.run_init_hooks();
    main_loop.install_signal_handlers();
  });
  complete_current();
}

// --- changed definitions
// --------------------------------------------------------------------------

namespace {

bool is_python(const project::Endpoint& endpoint) {
  return endpoint.language == project::Language::kPython;
}

// The Python files behind the endpoints; `inline_code` when some stands in the YAML itself.
std::set<fs::path> python_sources(const project::Project& project, bool& inline_code) {
  std::set<fs::path> sources;
  for (const auto& endpoint : project.endpoints()) {
    if (!is_python(*endpoint)) continue;
    if (endpoint->source.is_file) {
      sources.insert(endpoint->source.path);
    } else {
      inline_code = true;
    }
  }
  return sources;
}

enum class Extent { kDefinitions, kCode, kEverything };

Extent extent_of(const project::Project& old, const project::Project& fresh,
                 const Watch::Changes& changes) {
  const auto changed = [&](const fs::path& file) {
    return changes.lost || changes.files.contains(file);
  };
  if (changed(old.site().file) || (!old.user().file.empty() && changed(old.user().file))) {
    return Extent::kEverything;
  }
  bool inline_code = false;
  const auto before = python_sources(old, inline_code);
  const auto now = python_sources(fresh, inline_code);
  const bool code = inline_code ||
                    std::any_of(changes.files.begin(), changes.files.end(),
                                [](const fs::path& file) { return file.extension() == ".py"; }) ||
                    !std::includes(before.begin(), before.end(), now.begin(), now.end());
  if (!code) return Extent::kDefinitions;
  return fresh.site().plugins.empty() ? Extent::kCode : Extent::kEverything;
}

std::string listed(const Watch::Changes& changes, const fs::path& root) {
  constexpr std::size_t kShown = 5;
  if (changes.lost) return "files";
  std::string text;
  std::size_t count = 0;
  for (const fs::path& file : changes.files) {
    if (++count > kShown)
      return text + " and " + std::to_string(changes.files.size() - kShown) + " more";
    const fs::path relative = file.lexically_relative(root);
    text += (text.empty() ? "" : ", ") +
            (relative.empty() || *relative.begin() == ".." ? file : relative).string();
  }
  return text;
}

}  // namespace

void Runtime::Impl::start_watching() {
  if (!options.watch) return;
  Watch::Options wanted;
  wanted.root = current_project->root();
  wanted.files.push_back(current_project->site().file);
  if (!current_project->user().file.empty()) wanted.files.push_back(current_project->user().file);
  auto started = Watch::start(
      std::move(wanted), [this](Watch::Changes changes) { files_changed(std::move(changes)); });
  if (started.ok()) {
    watch = *std::move(started);
  } else {
    log::warning("runtime", "changed files are not taken up: {}", started.error().text());
  }
}

// On the thread of the watch.
void Runtime::Impl::files_changed(Watch::Changes changes) {
  {
    const std::lock_guard lock(mutex);
    if (stopping) return;
    if (!reloads.empty() && reloads.back().changes) {
      reloads.back().changes->files.merge(changes.files);
      reloads.back().changes->lost |= changes.lost;
    } else {
      reloads.push_back({{}, "changed files", std::move(changes)});
    }
  }
  reload_wanted.notify_all();
}

// What forbids serving it.
std::vector<Error> Runtime::Impl::problems_of(const project::Project& project) {
  if (options.serve_broken) return {};
  std::vector<Error> problems = file_errors(project);
  if (!problems.empty() || !options.check) return problems;
  auto opened = open_database();
  if (!opened.ok()) return {std::move(opened).error()};
  return options.check(project, **opened);
}

// The files that define the project changed. What is invalid is not served, and changes nothing.
Runtime::Impl::Reloaded Runtime::Impl::refresh(const Watch::Changes& changes) {
  std::shared_ptr<const project::Project> old;
  {
    const std::lock_guard lock(mutex);
    old = current_project;
  }
  const std::string what = listed(changes, old->root());
  auto fresh = project::Project::load(options.load);
  std::vector<Error> problems =
      fresh.ok() ? problems_of(**fresh) : std::vector<Error>{fresh.error()};
  Extent extent = Extent::kDefinitions;
  if (problems.empty()) {
    extent = extent_of(*old, **fresh, changes);
    if (extent == Extent::kEverything) return reload({{}, what + " changed", {}});
    if (extent == Extent::kCode) problems = replace_code(*fresh);
  }
  if (!problems.empty()) {
    std::string summary = what + " changed, but is not served until it is mended";
    for (const Error& problem : problems) {
      summary += "\n  " + problem.text();
    }
    log::error("runtime", "{}", summary);
    return {std::move(summary), false};
  }
  if (extent == Extent::kDefinitions) {
    auto completed = complete(*fresh);
    user_code.adopt(completed);
    const std::lock_guard lock(mutex);
    current_project = std::move(completed);
  }
  log::info("runtime", "taken up: {}", what);
  return {};
}

// Returns why the old code goes on.
std::vector<Error> Runtime::Impl::replace_code(std::shared_ptr<const project::Project> fresh) {
  std::vector<Error> problems;
  drain();
  on_main([&] {
    problems = user_code.replace(fresh);
    if (!problems.empty()) return;
    {
      const std::lock_guard lock(mutex);
      current_project = derived(fresh, nullptr);
    }
    user_code.run_init_hooks();
    main_loop.install_signal_handlers();
  });
  if (problems.empty()) complete_current();
  gate.open();
  return problems;
}

// Runs a task on the main thread and waits for it.
void Runtime::Impl::on_main(std::function<void()> task) {
  struct State {
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
  };
  const auto state = std::make_shared<State>();
  main_loop.post([state, task = std::move(task)] {
    task();
    const std::lock_guard lock(state->mutex);
    state->finished = true;
    state->done.notify_all();
  });
  // The main loop runs until stop() has joined this thread, so the task is never forgotten.
  std::unique_lock lock(state->mutex);
  state->done.wait(lock, [&] { return state->finished; });
}

}  // namespace mxcp::runtime
