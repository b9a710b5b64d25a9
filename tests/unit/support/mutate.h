// Texts that are nearly right: bytes of a corpus changed, cut, doubled and mixed, from a seed, so
// that a failure can be repeated. What clang's libFuzzer would do with the same functions and more
// time.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"

namespace mxcp::test {

// The files of tests/fuzz/<name>, in a stable order.
inline std::vector<std::string> corpus(const std::string& name) {
  const char* const data = std::getenv("MXCP_TEST_DATA");
  REQUIRE(data != nullptr);
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(data) / "fuzz" / name)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const fs::path& path : paths) {
    auto text = read_file(path);
    REQUIRE(text.ok());
    out.push_back(*std::move(text));
  }
  REQUIRE(!out.empty());
  return out;
}

// How many mutations a bounded run tries: $MXCP_FUZZ_ROUNDS for a longer one.
inline int fuzz_rounds(int usual) {
  const char* const asked = std::getenv("MXCP_FUZZ_ROUNDS");
  return asked == nullptr ? usual : std::atoi(asked);
}

class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, unsigned seed, std::size_t most_changes = 4)
      : corpus_(std::move(corpus)), random_(seed), most_changes_(most_changes) {}

  std::string next() {
    std::string text = corpus_[below(corpus_.size())];
    for (std::size_t n = 1 + below(most_changes_); n > 0; --n) change(text);
    return text;
  }
  std::size_t below(std::size_t limit) {
    return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

 private:
  void change(std::string& text) {
    static const std::vector<std::string> kPieces = {":",
                                                     ": ",
                                                     "- ",
                                                     "\n",
                                                     "\t",
                                                     "\"",
                                                     "'",
                                                     "{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     ",",
                                                     "#",
                                                     "&a",
                                                     "*a",
                                                     "|",
                                                     ">",
                                                     "%",
                                                     "!!",
                                                     "? ",
                                                     "\r\n",
                                                     "\xEF\xBB\xBF",
                                                     "\xFF",
                                                     "\\u",
                                                     "1e999",
                                                     "null",
                                                     std::string(1, '\0'),
                                                     "${X}",
                                                     "$",
                                                     "-9223372036854775809",
                                                     "1.5",
                                                     "  "};
    const std::size_t at = below(text.size() + 1);
    const std::size_t size = below(std::min<std::size_t>(text.size() - at + 1, 12));
    switch (below(6)) {
      case 0: text.insert(at, kPieces[below(kPieces.size())]); break;
      case 1: text.erase(at, size); break;
      case 2: text.insert(at, text.substr(at, size)); break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 4: {
        const std::string& other = corpus_[below(corpus_.size())];
        text.insert(at, other.substr(below(other.size() + 1), below(60)));
        break;
      }
      default: text.replace(at, size, kPieces[below(kPieces.size())]);
    }
  }

  std::vector<std::string> corpus_;
  std::mt19937 random_;
  std::size_t most_changes_;
};

}  // namespace mxcp::test
