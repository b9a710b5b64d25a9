// What differs between the revisions of the protocol on the wire, as data. A handler asks for the
// property it needs and never for a date.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxcp::mcp {

struct Revision {
  std::string_view name;
  // Requests carry everything in `_meta`; results have a type, name the server, and say how long
  // lists may be kept. Otherwise there is a handshake.
  bool stateless = false;
  // Several messages in one array.
  bool batches = false;
  // An error without a readable id says "id":null (later schemas want it left out).
  bool null_id = false;
  bool tool_annotations = false;
  bool progress_messages = false;
  bool completions_capability = false;
  bool audio = false;
  // Titles, output schemas, structured content, links to resources.
  bool structured = false;
  bool icons = false;
  // An SSE stream begins with an event that only says its id.
  bool primes_streams = false;
  int resource_not_found = 0;
};

// Newest first.
std::span<const Revision> revisions();
const Revision* find_revision(std::string_view name);
// What a handshake falls back to.
const Revision& latest_handshake_revision();
const Revision& latest_stateless_revision();
// The names, newest first; only those without a handshake when `stateless_only`.
std::vector<std::string> revision_names(bool stateless_only);

}  // namespace mxcp::mcp
