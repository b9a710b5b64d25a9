// What the server is and can do: `server/discover`, and the capabilities that `initialize` shares.
#include "base/json.h"
#include "mcp/core.h"

namespace mxcp::mcp {

std::string capabilities(const Catalog& catalog, const Revision& revision, bool tells) {
  std::string out = R"({"logging":{})";
  const bool completes = catalog.has(ListKind::kPrompts) || catalog.has(ListKind::kTemplates);
  if (revision.completions_capability && completes) out += R"(,"completions":{})";
  if (revision.stateless && catalog.has_tasks()) {
    out += R"(,"extensions":{"io.modelcontextprotocol/tasks":{}})";
  }
  const std::string_view changes = tells ? R"({"listChanged":true})" : "{}";
  if (catalog.has(ListKind::kPrompts)) (out += R"(,"prompts":)") += changes;
  if (has_resources(catalog)) {
    (out += R"(,"resources":)") += tells ? R"({"subscribe":true,"listChanged":true})" : "{}";
  }
  (out += R"(,"tools":)") += changes;
  out += '}';
  return out;
}

void discover(Core& core, const ExchangePtr& exchange) {
  const auto presentation = core.setup()->presentation();
  Reply reply(*exchange, 512);
  Array versions;
  for (auto& name : revision_names(false)) versions.emplace_back(std::move(name));
  append_json(reply.member("supportedVersions"), versions);
  reply.member("capabilities") += capabilities(*core.catalog(), exchange->revision());
  if (const std::string& instructions = presentation->info.instructions; !instructions.empty()) {
    append_json_string(reply.member("instructions"), instructions);
  }
  reply.cache_for(core.setup()->options.list_ttl, true);
  exchange->answer(std::move(reply));
}

}  // namespace mxcp::mcp
