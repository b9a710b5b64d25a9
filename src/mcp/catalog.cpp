#include "mcp/catalog.h"

#include <algorithm>

#include "base/json.h"
#include "types/changes.h"

namespace mxcp::mcp {
namespace {

using project::Endpoint;
using project::EndpointKind;

ListKind list_of(const Endpoint& endpoint) {
  switch (endpoint.kind) {
    case EndpointKind::kTool: return ListKind::kTools;
    case EndpointKind::kPrompt: return ListKind::kPrompts;
    case EndpointKind::kResource: break;
  }
  return UriTemplate::is_template(endpoint.uri) ? ListKind::kTemplates : ListKind::kResources;
}

// Writes the members of one entry, in order.
class Entry {
 public:
  void add(std::string_view key, const Value& value) { append_json(open(key), value); }
  std::string& open(std::string_view key) {
    text_ += text_.empty() ? "{\"" : ",\"";
    text_ += key;
    return text_ += "\":";
  }
  std::string finish() { return std::move(text_) + "}"; }

 private:
  std::string text_;
};

Value annotations_of(const project::Annotations& given) {
  Object out;
  if (given.title) out.add("title", *given.title);
  if (given.read_only) out.add("readOnlyHint", *given.read_only);
  if (given.destructive) out.add("destructiveHint", *given.destructive);
  if (given.idempotent) out.add("idempotentHint", *given.idempotent);
  if (given.open_world) out.add("openWorldHint", *given.open_world);
  return out;
}

void add_title(Entry& entry, const Endpoint& endpoint, const Revision& revision) {
  if (revision.structured && !endpoint.title.empty()) entry.add("title", endpoint.title);
}

// What every kind of entry ends with.
std::string finish(Entry entry, const Endpoint& endpoint, const Revision& revision) {
  if (revision.icons && !endpoint.icons.empty()) entry.add("icons", endpoint.icons);
  if (revision.structured && !endpoint.meta.empty()) entry.add("_meta", endpoint.meta);
  return entry.finish();
}

std::string encode_tool(const Endpoint& tool, const Revision& revision) {
  Entry entry;
  entry.add("name", tool.name);
  add_title(entry, tool, revision);
  entry.add("description", tool.description);
  entry.add("inputSchema", tool.parameters.json_schema());
  if (revision.structured && tool.output_schema != nullptr) {
    entry.open("outputSchema") += *tool.output_schema;
  } else if (revision.structured && tool.return_type) {
    entry.add("outputSchema", types::output_schema(*tool.return_type, tool.policies.changes));
  }
  if (revision.tool_annotations && tool.annotations) {
    entry.add("annotations", annotations_of(*tool.annotations));
  }
  return finish(std::move(entry), tool, revision);
}

std::string encode_resource(const Endpoint& resource, std::string_view uri_key,
                            const Revision& revision) {
  Entry entry;
  entry.add(uri_key, resource.uri);
  entry.add("name", resource.name);
  add_title(entry, resource, revision);
  entry.add("description", resource.description);
  if (resource.mime_type) entry.add("mimeType", *resource.mime_type);
  if (!resource.content_annotations.empty()) {
    entry.add("annotations", resource.content_annotations);
  }
  return finish(std::move(entry), resource, revision);
}

std::string encode_prompt(const Endpoint& prompt, const Revision& revision) {
  Entry entry;
  entry.add("name", prompt.name);
  add_title(entry, prompt, revision);
  entry.add("description", prompt.description);
  Array arguments;
  for (const auto& parameter : prompt.parameters.entries()) {
    Object argument{{"name", parameter.name}};
    const std::string& description = parameter.type.spec().description;
    if (!description.empty()) argument.add("description", description);
    argument.add("required", !parameter.optional());
    arguments.emplace_back(std::move(argument));
  }
  if (!arguments.empty()) entry.add("arguments", std::move(arguments));
  return finish(std::move(entry), prompt, revision);
}

std::string encode(ListKind kind, const Endpoint& endpoint, const Revision& revision) {
  switch (kind) {
    case ListKind::kTools: return encode_tool(endpoint, revision);
    case ListKind::kResources: return encode_resource(endpoint, "uri", revision);
    case ListKind::kTemplates: return encode_resource(endpoint, "uriTemplate", revision);
    case ListKind::kPrompts: break;
  }
  return encode_prompt(endpoint, revision);
}

}  // namespace

Catalog::Catalog(std::shared_ptr<const project::Project> project) : project_(std::move(project)) {
  for (const auto& endpoint : project_->endpoints()) {
    endpoints_[static_cast<std::size_t>(list_of(*endpoint))].push_back(endpoint.get());
    if (endpoint->task.support != project::TaskSupport::kForbidden) has_tasks_ = true;
  }
  for (auto& endpoints : endpoints_) {
    std::sort(endpoints.begin(), endpoints.end(),
              [](const Endpoint* a, const Endpoint* b) { return a->id() < b->id(); });
  }
  for (const Endpoint* endpoint : of(ListKind::kTemplates)) {
    templates_.emplace_back(UriTemplate(endpoint->uri), endpoint);
  }
  std::stable_sort(templates_.begin(), templates_.end(), [](const auto& a, const auto& b) {
    return a.first.literal_size() > b.first.literal_size();
  });
}

bool Catalog::awaits_types() const {
  if (project_->types_derived()) return false;
  const Endpoints& tools = of(ListKind::kTools);
  return std::any_of(tools.begin(), tools.end(), [](const Endpoint* tool) {
    if (tool->language != project::Language::kSql) return false;
    const bool typed = tool->return_type || tool->content;
    const bool hinted = tool->annotations && tool->annotations->read_only;
    return !typed || !hinted;
  });
}

const List& Catalog::list(ListKind kind, const Revision& revision) const {
  const std::lock_guard lock(mutex_);
  const auto [it, is_new] = lists_.try_emplace({kind, &revision});
  if (is_new) {
    it->second.reserve(of(kind).size());
    for (const Endpoint* endpoint : of(kind)) {
      it->second.push_back({endpoint->id(), encode(kind, *endpoint, revision)});
    }
  }
  return it->second;
}

std::vector<std::string> Catalog::names(ListKind kind) const {
  std::vector<std::string> out;
  out.reserve(of(kind).size());
  for (const Endpoint* endpoint : of(kind)) out.push_back(endpoint->id());
  return out;
}

std::optional<Catalog::Resource> Catalog::resolve(std::string_view uri) const {
  if (!UriTemplate::is_template(uri)) {
    if (auto endpoint = project_->find(EndpointKind::kResource, uri)) {
      return Resource{std::move(endpoint), {}};
    }
  }
  for (const auto& [pattern, endpoint] : templates_) {
    if (auto values = pattern.match(uri)) {
      return Resource{project_->find(EndpointKind::kResource, endpoint->uri), *std::move(values)};
    }
  }
  return {};
}

std::shared_ptr<const Catalog> Catalogs::current() {
  auto project = backend_.project();
  const std::lock_guard lock(mutex_);
  if (last_ == nullptr || last_->project() != project) {
    last_ = std::make_shared<const Catalog>(std::move(project));
  }
  return last_;
}

ListChanges changes_between(const Catalog& before, const Catalog& after) {
  const Revision& revision = latest_stateless_revision();
  const auto differ = [&](ListKind kind) {
    return before.list(kind, revision) != after.list(kind, revision);
  };
  return {.tools = differ(ListKind::kTools),
          .resources = differ(ListKind::kResources) || differ(ListKind::kTemplates),
          .prompts = differ(ListKind::kPrompts)};
}

}  // namespace mxcp::mcp
