#include "cli/planted_bug.h"

#include <limits>

namespace mxcp::cli {

#if defined(__SANITIZE_ADDRESS__)

namespace {

// Opaque to the optimiser, which would otherwise remove what is wrong.
[[gnu::noinline]] int byte_at(const char* bytes, std::size_t i) {
  return bytes[i];
}
[[gnu::noinline]] int plus_one(int number) {
  return number + 1;
}

int heap_overflow() {
  const std::vector<char> bytes(100, 'x');
  return byte_at(bytes.data(), bytes.size());
}

int use_after_free() {
  const char* bytes = nullptr;
  {
    const std::vector<char> gone(100, 'x');
    bytes = gone.data();
  }
  return byte_at(bytes, 1);
}

int signed_overflow() {
  return plus_one(std::numeric_limits<int>::max());
}

}  // namespace

std::optional<int> run_planted_bug(const std::vector<std::string>& args) {
  if (args.size() != 3 || args[1] != "planted-bug") return std::nullopt;
  if (args[2] == "heap-overflow") return heap_overflow() == 0;
  if (args[2] == "use-after-free") return use_after_free() == 0;
  if (args[2] == "signed-overflow") return signed_overflow() == 0;
  return std::nullopt;
}

#else

std::optional<int> run_planted_bug(const std::vector<std::string>&) {
  return std::nullopt;
}

#endif

}  // namespace mxcp::cli
