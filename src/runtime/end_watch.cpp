#include "runtime/end_watch.h"

#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "base/log.h"

namespace mxcp::runtime {
namespace {

sem_t noticed;
std::atomic<bool> armed{false};

}  // namespace

void EndWatch::arm(std::chrono::seconds limit) {
  static bool started = false;
  if (started || ::sem_init(&noticed, 0, 0) != 0) return;
  started = true;
  armed = true;
  // It is never joined: it watches the very end of the process.
  std::thread([limit] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (::sem_wait(&noticed) != 0 && errno == EINTR) {
    }
    std::this_thread::sleep_for(limit);
    log::error("runtime",
               "the server leaves {} s after it was told to end: a hook, an import or an atexit "
               "handler still runs",
               limit.count());
    ::_exit(1);
  }).detach();
}

void EndWatch::notice() {
  if (armed.load()) ::sem_post(&noticed);
}

}  // namespace mxcp::runtime
