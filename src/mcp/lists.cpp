// The four list methods: pages of the catalog.
//
// A cursor names the last entry of the page before, so it means the same after a restart, and after
// a reload it goes on where the list now goes on.
#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "mcp/core.h"

namespace mxcp::mcp {
namespace {

struct ListForm {
  ListKind kind;
  std::string_view member;
  std::string_view cursor_prefix;
};
constexpr ListForm kTools = {ListKind::kTools, "tools", "tools:"};
constexpr ListForm kResources = {ListKind::kResources, "resources", "resources:"};
constexpr ListForm kTemplates = {ListKind::kTemplates, "resourceTemplates", "templates:"};
constexpr ListForm kPrompts = {ListKind::kPrompts, "prompts", "prompts:"};

void answer_page(Core& core, const ExchangePtr& exchange, const Catalog& catalog,
                 const ListForm& form) {
  const List& list = catalog.list(form.kind, exchange->revision());
  auto first = list.begin();
  if (const Value* const given = exchange->params().find("cursor"); given && !given->is_null()) {
    const std::string* const cursor = given->as_string();
    if (cursor == nullptr) return exchange->fail(wrong_param("cursor", "a string", given));
    // The empty cursor is one too: before the first entry.
    if (!cursor->empty()) {
      if (!cursor->starts_with(form.cursor_prefix)) {
        return exchange->fail(
            {kInvalidParams, "invalid cursor; use the 'nextCursor' of a previous answer to " +
                                 exchange->method() + ", or none to begin again"});
      }
      const std::string_view after = std::string_view(*cursor).substr(form.cursor_prefix.size());
      first = std::upper_bound(
          list.begin(), list.end(), after,
          [](std::string_view key, const ListEntry& entry) { return key < entry.key; });
    }
  }

  const auto& options = core.setup()->options;
  const auto rest = static_cast<std::size_t>(list.end() - first);
  const std::size_t count = options.page_size == 0 ? rest : std::min(rest, options.page_size);
  const auto last = first + static_cast<std::ptrdiff_t>(count);
  std::size_t size = 0;
  for (auto entry = first; entry != last; ++entry) size += entry->json.size() + 1;

  Reply reply(*exchange, size);
  std::string& out = reply.member(form.member) += '[';
  for (auto entry = first; entry != last; ++entry) {
    if (entry != first) out += ',';
    out += entry->json;
  }
  out += ']';
  if (last != list.end()) {
    append_json_string(reply.member("nextCursor"),
                       std::string(form.cursor_prefix) + std::prev(last)->key);
  }
  reply.cache_for(options.list_ttl, true);
  exchange->answer(std::move(reply));
}

}  // namespace

void list_tools(Core& core, const ExchangePtr& exchange) {
  const auto catalog = core.catalog();
  if (!exchange->revision().structured || !catalog->awaits_types()) {
    return answer_page(core, exchange, *catalog, kTools);
  }
  core.backend().when_ready(exchange->cancel_token(), [&core, exchange](const Status& ready) {
    if (!ready.ok()) return exchange->fail({kInternalError, public_text(ready.error())});
    answer_page(core, exchange, *core.catalog(), kTools);
  });
}

void list_resources(Core& core, const ExchangePtr& exchange) {
  const auto catalog = core.catalog();
  if (!has_resources(*catalog)) return exchange->fail(nothing_to_serve("resources"));
  answer_page(core, exchange, *catalog, kResources);
}

void list_resource_templates(Core& core, const ExchangePtr& exchange) {
  const auto catalog = core.catalog();
  if (!has_resources(*catalog)) return exchange->fail(nothing_to_serve("resources"));
  answer_page(core, exchange, *catalog, kTemplates);
}

void list_prompts(Core& core, const ExchangePtr& exchange) {
  const auto catalog = core.catalog();
  if (!catalog->has(ListKind::kPrompts)) return exchange->fail(nothing_to_serve("prompts"));
  answer_page(core, exchange, *catalog, kPrompts);
}

}  // namespace mxcp::mcp
