// Watch: tells when files that define the project change.
//
// Every folder below the root is watched (inotify), except hidden ones, __pycache__, node_modules,
// site-packages and virtual environments. Files count when they end in .yml, .yaml, .sql or .py;
// the `files` given count whatever they are called, and a link to a file changes with what it leads
// to. What changes within a moment is told as one
// set.
//
// Linux only: elsewhere start() fails with kUnavailable.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace mxcp::runtime {

class Watch {
 public:
  struct Options {
    fs::path root;
    std::vector<fs::path> files = {};          // outside of the root, e.g. the user configuration
    std::chrono::milliseconds quiet{150};      // told when nothing has changed for so long ...
    std::chrono::milliseconds patience{2000};  // ... or at the latest this long after the first
  };
  struct Changes {
    std::set<fs::path> files;
    bool lost = false;  // the kernel dropped events: anything may have changed
  };
  // Called on the watch's own thread.
  using Callback = std::function<void(Changes)>;

  // Watching has begun when this returns. Errors: kUnavailable (no inotify, too many watches).
  static Result<std::unique_ptr<Watch>> start(Options options, Callback callback);
  ~Watch();  // waits for a callback that runs
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  struct Impl;
  explicit Watch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::runtime
