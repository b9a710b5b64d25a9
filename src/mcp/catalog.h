// Catalog: what one Project snapshot offers to clients. The entries of the list methods are encoded
// once per revision, so that listing five hundred tools is copying text.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp/revisions/revision.h"
#include "mcp/server.h"
#include "mcp/uri_template.h"
#include "project/project.h"

namespace mxcp::mcp {

enum class ListKind { kTools, kResources, kTemplates, kPrompts };
constexpr std::array<ListKind, 4> kListKinds = {ListKind::kTools, ListKind::kResources,
                                                ListKind::kTemplates, ListKind::kPrompts};

// One entry of a list. The key (name, URI or template) gives the order and the cursor.
struct ListEntry {
  std::string key;
  std::string json;
  friend bool operator==(const ListEntry&, const ListEntry&) = default;
};
using List = std::vector<ListEntry>;

class Catalog {
 public:
  explicit Catalog(std::shared_ptr<const project::Project> project);

  const std::shared_ptr<const project::Project>& project() const { return project_; }
  bool has(ListKind kind) const { return !of(kind).empty(); }
  // Some tool may run as a task.
  bool has_tasks() const { return has_tasks_; }
  // The list of tools is not complete yet: Backend::when_ready.
  bool awaits_types() const;
  // Sorted by key. Encoded when first asked for; the reference lives as long as the catalog.
  const List& list(ListKind kind, const Revision& revision) const;

  // The names of all tools, or of all prompts.
  std::vector<std::string> names(ListKind kind) const;

  struct Resource {
    std::shared_ptr<const project::Endpoint> endpoint;
    UriTemplate::Values values;  // of the template's placeholders
  };
  // The resource behind a URI: one with just that URI, else the most specific template that fits.
  std::optional<Resource> resolve(std::string_view uri) const;

 private:
  using Endpoints = std::vector<const project::Endpoint*>;
  const Endpoints& of(ListKind kind) const { return endpoints_[static_cast<std::size_t>(kind)]; }

  std::shared_ptr<const project::Project> project_;
  bool has_tasks_ = false;
  std::array<Endpoints, kListKinds.size()> endpoints_;
  std::vector<std::pair<UriTemplate, const project::Endpoint*>> templates_;  // most specific first
  mutable std::mutex mutex_;
  mutable std::map<std::pair<ListKind, const Revision*>, List> lists_;
};

// The catalog of the backend's present project.
class Catalogs {
 public:
  explicit Catalogs(Backend& backend) : backend_(backend) {}
  std::shared_ptr<const Catalog> current();

 private:
  Backend& backend_;
  std::mutex mutex_;
  std::shared_ptr<const Catalog> last_;
};

// Which lists differ between two snapshots, by what the newest revision shows of them. Resources
// and templates count as one, as in the protocol.
struct ListChanges {
  bool tools = false;
  bool resources = false;
  bool prompts = false;
  bool any() const { return tools || resources || prompts; }
};
ListChanges changes_between(const Catalog& before, const Catalog& after);

}  // namespace mxcp::mcp
