// Work that Ctrl-C cancels, while the main thread keeps its loop running.
#pragma once

#include <functional>

#include "cli/parts.h"

namespace mxcp::cli {

// A call that the first SIGINT or SIGTERM cancels; code that goes on all the same is left behind
// after a moment. Later calls fail at once.
invoke::Outcome call(Parts& parts, invoke::Request request);

// Runs `work` on a thread of its own and waits for it; the first SIGINT or SIGTERM cancels
// `cancel`.
void run_cancellable(Parts& parts, CancelToken& cancel, const std::function<void()>& work);

// The end of a command: shutdown hooks, the database is closed, Python does its last. After a
// signal, or when asked to hurry, nothing is waited for.
void stop(Parts& parts, bool hurry = false);

}  // namespace mxcp::cli
