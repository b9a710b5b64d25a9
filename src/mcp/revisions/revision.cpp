#include "mcp/revisions/revision.h"

#include <algorithm>
#include <array>

#include "mcp/message.h"

namespace mxcp::mcp {
namespace {

constexpr std::array<Revision, 5> kRevisions = {{
    {.name = "2026-07-28",
     .stateless = true,
     .tool_annotations = true,
     .progress_messages = true,
     .completions_capability = true,
     .audio = true,
     .structured = true,
     .icons = true,
     .resource_not_found = kInvalidParams},
    {.name = "2025-11-25",
     .tool_annotations = true,
     .progress_messages = true,
     .completions_capability = true,
     .audio = true,
     .structured = true,
     .icons = true,
     .primes_streams = true,
     .resource_not_found = kLegacyResourceNotFound},
    {.name = "2025-06-18",
     .null_id = true,
     .tool_annotations = true,
     .progress_messages = true,
     .completions_capability = true,
     .audio = true,
     .structured = true,
     .resource_not_found = kLegacyResourceNotFound},
    {.name = "2025-03-26",
     .batches = true,
     .null_id = true,
     .tool_annotations = true,
     .progress_messages = true,
     .completions_capability = true,
     .audio = true,
     .resource_not_found = kLegacyResourceNotFound},
    {.name = "2024-11-05",
     .batches = true,
     .null_id = true,
     .resource_not_found = kLegacyResourceNotFound},
}};

}  // namespace

std::span<const Revision> revisions() {
  return kRevisions;
}

const Revision* find_revision(std::string_view name) {
  const auto it = std::find_if(kRevisions.begin(), kRevisions.end(),
                               [&](const Revision& revision) { return revision.name == name; });
  return it == kRevisions.end() ? nullptr : &*it;
}

const Revision& latest_handshake_revision() {
  return *std::find_if(kRevisions.begin(), kRevisions.end(),
                       [](const Revision& revision) { return !revision.stateless; });
}

const Revision& latest_stateless_revision() {
  return kRevisions.front();
}

std::vector<std::string> revision_names(bool stateless_only) {
  std::vector<std::string> names;
  for (const Revision& revision : kRevisions) {
    if (revision.stateless || !stateless_only) names.emplace_back(revision.name);
  }
  return names;
}

}  // namespace mxcp::mcp
