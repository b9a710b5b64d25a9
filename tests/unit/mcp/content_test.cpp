#include "mcp/content.h"

#include <doctest/doctest.h>

using namespace mxcp::mcp;

namespace {

std::string in(const char* revision, const char* json) {
  std::string out = "content:";
  append_content_blocks(out, *find_revision(revision), json);
  return out;
}

}  // namespace

TEST_CASE("links to resources are text before 2025-06-18") {
  const char* const link =
      R"([{"type":"resource_link","uri":"a://b","name":"n","title":"T","annotations":{"priority":1}}])";
  for (const char* revision : {"2025-06-18", "2025-11-25", "2026-07-28"}) {
    CHECK(in(revision, link) == std::string("content:") + link);
  }
  for (const char* revision : {"2024-11-05", "2025-03-26"}) {
    CHECK(in(revision, link) ==
          R"(content:[{"type":"text","text":"T: a://b","annotations":{"priority":1}}])");
    CHECK(in(revision, R"([{"type":"resource_link","uri":"a://b","name":"a://b"}])") ==
          R"(content:[{"type":"text","text":"a://b"}])");
    CHECK(in(revision, R"([{"type":"resource_link","uri":"a://b","name":"n"}])") ==
          R"(content:[{"type":"text","text":"n: a://b"}])");
  }
}

TEST_CASE("audio is an embedded resource in 2024-11-05") {
  const char* const audio =
      R"([{"type":"text","text":"x"},{"type":"audio","data":"AAAA","mimeType":"audio/mpeg"}])";
  CHECK(in("2025-03-26", audio) == std::string("content:") + audio);
  CHECK(in("2024-11-05", audio) ==
        R"(content:[{"type":"text","text":"x"},{"type":"resource","resource":)"
        R"({"uri":"urn:mxcp:audio","mimeType":"audio/mpeg","blob":"AAAA"}}])");
  CHECK(in("2024-11-05", "[]") == "content:[]");
}
