// Runtime, second part: what changes under a running server - reloads with the database closed, and
// changed definitions.
#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/rules.h"
#include "runtime/runtime_impl.h"

namespace mxcp::runtime {

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
    // One that has not begun yet reads everything, too.
    const bool is_due = std::any_of(impl_->reloads.begin(), impl_->reloads.end(),
                                    [](const Impl::Reload& reload) { return !reload.changes; });
    if (is_due && !payload) return {};
    if (impl_->reloads.size() >= kMaxReloads) {
      return Error{Code::kOverloaded,
                   std::to_string(kMaxReloads) + " reloads are waiting already",
                   {},
                   "try again when they are over"};
    }
    impl_->reloads.push_back({std::move(payload), std::move(description), {}});
  }
  impl_->reload_wanted.notify_all();
  return {};
}

// --- reload --------------------------------------------------------------------------------------

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

// Drain, close, payload, and all of restart(): configuration, database, modules and hooks.
Runtime::Impl::Reloaded Runtime::Impl::reload(const Reload& request) {
  log::info("runtime", "reload begins: {}", request.description);
  std::vector<std::string> problems;

  // Drain: the call that asked for this reload is answered first, like every other.
  drain(gate);
  if (is_stopping()) return {"", false};

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

void Runtime::Impl::drain(Gate& which) {
  which.close();
  constexpr std::chrono::milliseconds kLookEvery{100};
  const Instant begin = Clock::system().now();
  const Instant deadline = begin + options.drain_limit;
  while (!which.wait_idle(std::min(deadline, Clock::system().now() + kLookEvery))) {
    if (is_stopping()) return;
    const Instant now = Clock::system().now();
    if (now >= deadline || (now >= begin + options.ask_limit && which.all_ask())) break;
  }
  if (which.running() == 0) return;
  log::warning("runtime", "reload: cancelling {} call(s) that did not finish", which.running());
  which.cancel_running(Code::kUnavailable);
  which.wait_idle(Clock::system().now() + kCancelLimit);
}

bool Runtime::Impl::is_stopping() const {
  const std::lock_guard lock(mutex);
  return stopping;
}

namespace {

std::string refusal(const std::vector<Error>& errors) {
  std::string text = "nothing of the project is taken up, the old one stays until it is mended";
  for (const Error& error : errors) text += "\n  " + error.text();
  return text;
}

}  // namespace

// Fresh configuration, an open database, fresh modules, init hooks. The database is still blocked.
void Runtime::Impl::restart(std::vector<std::string>& problems) {
  std::shared_ptr<const project::Project> old;
  {
    const std::lock_guard lock(mutex);
    old = current_project;
  }
  {
    const std::lock_guard one(opening);
    wait_until.reset();
  }
  auto loaded = project::Project::load(options.load);
  std::shared_ptr<const project::Project> fresh;
  std::vector<Error> refused;
  if (loaded.ok()) {
    Findings findings;
    findings.add_files(**loaded, *old);
    refused = refusing(findings);
    fresh = derived(*loaded, nullptr);
  } else {
    refused.push_back(loaded.error());
  }
  bool to_check = false;
  if (refused.empty()) {
    Taken taken = take_over(fresh);
    refused = std::move(taken.refused);
    to_check = taken.to_check;
  }
  if (!refused.empty()) {
    problems.push_back(refusal(refused));
    unblock_database();  // plugins may want it while they are made
    on_main([this] { user_code.discard(); });
    (void)open_for(*old);  // whoever calls gets the reason
  }
  on_main([this] {
    user_code.run_init_hooks();
    main_loop.install_signal_handlers();
  });
  if (to_check) {
    Findings found;
    found.add(open_and_check());
    for (const Error& error : refusing(found)) problems.push_back(error.text());
  }
  complete_current();
  if (problems.empty()) not_taken_up = {};
}

void Runtime::Impl::unblock_database() {
  {
    const std::lock_guard lock(mutex);
    database_blocked = false;
  }
  database_unblocked.notify_all();
}

// Opens the database as the fresh project wants it, loads its code and checks it; then the project
// is the current one. Or it is refused: then nothing is open, and what is staged is to be
// discarded.
Runtime::Impl::Taken Runtime::Impl::take_over(
    const std::shared_ptr<const project::Project>& fresh) {
  Findings findings;
  findings.add_files(*fresh, *this->project());
  auto opened = open_for(*fresh);
  unblock_database();  // user code may want it while it is imported
  std::vector<Error> errors;
  bool hooks = false;
  on_main([&] {
    errors = user_code.stage(fresh);
    hooks = user_code.staged_has_hooks();
  });
  findings.add_code(*fresh, std::move(errors), user_code);
  if (opened.ok() && options.check) {
    std::vector<Problem> problems = options.check(*fresh, **opened);
    // What the init hooks attach, load and create is missing yet.
    if (hooks) {
      std::erase_if(problems, [](const Problem& p) { return p.error.rule == rules::kSqlInvalid; });
    }
    findings.add(std::move(problems));
  }
  std::vector<Error> refused = refusing(findings);
  if (!opened.ok()) refused.push_back(opened.error());
  if (!refused.empty()) {
    opened = Error{Code::kUnavailable, ""};  // lets go of it
    close_database();
    return {std::move(refused)};
  }
  std::function<void()> end_old;
  on_main([&] {
    end_old = user_code.commit();
    end_old();
  });
  exchange_project(fresh, findings);
  return {{}, hooks && options.check};
}

// --- changed definitions -------------------------------------------------------------------------

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

Findings Runtime::Impl::findings_of(const project::Project& project) {
  Findings findings;
  findings.add_files(project, *this->project());
  if (!options.check || (!findings.empty() && !options.serve_broken)) return findings;
  auto opened = open_database();
  if (opened.ok()) {
    findings.add(options.check(project, **opened));
  } else {
    findings.add(std::move(opened).error());
  }
  return findings;
}

std::vector<Error> Runtime::Impl::refusing(const Findings& findings) {
  const std::lock_guard lock(mutex);
  return findings.refusing(*current_project, options.serve_broken, accepted);
}

// The project without what is broken in it is served from now on.
void Runtime::Impl::exchange_project(std::shared_ptr<const project::Project> project,
                                     const Findings& findings, std::shared_ptr<Generation>* next) {
  auto usable = findings.usable(std::move(project));
  std::set<std::string> general = findings.general();
  const std::lock_guard lock(mutex);
  current_project = std::move(usable);
  accepted = std::move(general);
  if (next == nullptr) return;
  generation->successor = *next;
  std::swap(generation, *next);
}

// The files that define the project changed. What is invalid is not served, and changes nothing.
Runtime::Impl::Reloaded Runtime::Impl::refresh(const Watch::Changes& latest) {
  // What was refused before still is not in service.
  Watch::Changes changes = latest;
  changes.files.insert(not_taken_up.files.begin(), not_taken_up.files.end());
  changes.lost |= not_taken_up.lost;
  std::shared_ptr<const project::Project> old;
  {
    const std::lock_guard lock(mutex);
    old = current_project;
  }
  const std::string what = listed(changes, old->root());
  auto fresh = project::Project::load(options.load);
  Findings findings;
  std::vector<Error> refused;
  Extent extent = Extent::kDefinitions;
  if (fresh.ok()) {
    extent = extent_of(*old, **fresh, changes);
    if (extent == Extent::kEverything) {
      findings.add_files(**fresh, *old);  // its SQL is for the database that it will have
    } else {
      findings = findings_of(**fresh);
    }
    refused = refusing(findings);
  } else {
    refused.push_back(fresh.error());
  }
  if (refused.empty() && extent == Extent::kEverything) {
    not_taken_up = std::move(changes);  // unless it succeeds
    return reload({{}, what + " changed", {}});
  }
  if (refused.empty() && extent == Extent::kCode) refused = replace_code(*fresh, findings);
  if (!refused.empty()) {
    not_taken_up = std::move(changes);
    std::string summary = what + " changed, but is not served until it is mended";
    for (const Error& problem : refused) {
      summary += "\n  " + problem.text();
    }
    log::error("runtime", "{}", summary);
    return {std::move(summary), false};
  }
  if (extent == Extent::kDefinitions) {
    auto completed = complete(findings.usable(*fresh));
    user_code.adopt(completed);
    exchange_project(std::move(completed), findings);
  }
  not_taken_up = {};
  log::info("runtime", "taken up: {}", what);
  return {};
}

// Returns why the old code goes on. Calls run meanwhile; those of Python wait where hooks have to
// run after the last of the old ones and before the first of the new.
std::vector<Error> Runtime::Impl::replace_code(std::shared_ptr<const project::Project> fresh,
                                               Findings findings) {
  fresh = derived(std::move(fresh), nullptr);
  std::vector<Error> errors;
  bool hooks = false;
  on_main([&] {
    errors = user_code.stage(fresh);
    hooks = user_code.staged_has_hooks();
    main_loop.install_signal_handlers();
  });
  findings.add_code(*fresh, std::move(errors), user_code);
  if (std::vector<Error> refused = refusing(findings); !refused.empty()) {
    on_main([this] { user_code.discard(); });
    return refused;
  }
  if (!hooks) fresh = complete(std::move(fresh));
  if (hooks) drain(code_gate);
  if (is_stopping()) {
    on_main([this] { user_code.discard(); });
    return {{Code::kUnavailable, "the server is shutting down"}};
  }
  on_main([&] {
    if (hooks) user_code.run_shutdown_hooks();
    std::function<void()> end_old = user_code.commit();
    auto next = std::make_shared<Generation>(main_loop);
    exchange_project(fresh, findings, &next);
    if (!hooks) {
      next->retire = std::move(end_old);
      return;
    }
    end_old();
    user_code.run_init_hooks();
    main_loop.install_signal_handlers();
  });
  if (hooks) {
    complete_current();
    code_gate.open();
  }
  return {};
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
