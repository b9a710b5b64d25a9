// Endpoint: one YAML file of tools/, resources/ or prompts/, checked and compiled.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text_map.h"
#include "cel/program.h"
#include "project/limits.h"
#include "types/changes.h"
#include "types/parameters.h"

namespace mxcp::project {

enum class EndpointKind { kTool, kResource, kPrompt };
std::string_view name_of(EndpointKind kind);  // "tool"
std::optional<EndpointKind> endpoint_kind_from(std::string_view name);

enum class Language { kSql, kPython };

// The code of an endpoint.
struct Source {
  std::string text;  // SQL: the text. Python: the text when inline, else "" (loaded by path)
  bool is_file = false;
  fs::path path;             // absolute, when is_file
  std::string display_file;  // relative to the project root, for messages
  TextMap map{1, 0};         // of `text` in display_file
  Place place;               // of `source:` (or of its file/code key) in the YAML

  // The place in the user's file of line/column (from 1) inside `text`; `place` when it is unknown.
  Place at(int line, int column) const;
  Place at_offset(std::size_t byte_offset) const;
};

struct Annotations {
  std::optional<std::string> title;
  std::optional<bool> read_only, destructive, idempotent, open_world;
};

// How a tool runs as a task: behind a client that can come back for the result (2026-07-28).
enum class TaskSupport { kForbidden, kOptional, kRequired };
struct TaskSettings {
  TaskSupport support = TaskSupport::kForbidden;
  bool asks_first = false;  // its first questions are asked before the task begins
  std::optional<std::chrono::milliseconds> ttl, poll_interval;
};

// How long clients may keep a list entry's result, and whether it is the same for all of them.
struct CacheSettings {
  std::chrono::milliseconds ttl{0};
  bool same_for_all = false;
};

// A parameter whose value clients repeat in a header, for whoever routes their requests.
struct HeaderParameter {
  std::string header;             // "Mcp-Param-Region"
  std::vector<std::string> path;  // to the value in the arguments
  types::Kind kind = types::Kind::kString;
};

// Who says a message of a prompt, and what it is.
inline constexpr std::array<std::string_view, 3> kPromptRoles = {"user", "assistant", "system"};
inline constexpr std::array<std::string_view, 4> kPromptTypes = {"text", "resource", "image",
                                                                 "audio"};

// What a tool's result is instead of data: a content block of MCP.
enum class ContentKind { kImage, kAudio, kResource, kResourceLink };
std::string_view name_of(ContentKind kind);  // "resource_link"
struct ContentSettings {
  ContentKind kind = ContentKind::kImage;
  std::string mime_type;  // of images and sounds always
  std::string uri;        // of resources; its {placeholders} are parameters
  Object annotations;     // audience, priority, lastModified
  Place place;
};

struct PromptMessage {
  std::string prompt;
  std::optional<std::string> role, type;
  Place place;  // of the text in the YAML
  TextMap map;  // of the text

  // The place in the user's file; `place` when it is unknown.
  Place at_offset(std::size_t byte_offset) const;
};

struct TestCase {
  std::string name;
  std::string description;
  Object arguments;
  std::optional<Object> user_context;
  std::optional<Value> result;
  std::optional<Value> result_contains, result_contains_item;
  std::optional<std::vector<std::string>> result_not_contains;
  std::optional<std::vector<Value>> result_contains_all;
  std::optional<std::uint64_t> result_length;
  std::optional<std::string> result_contains_text;
  std::optional<std::string> error_contains;  // (+) passes when the call fails with this text
  Place place;
};

struct PolicyRule {
  enum class Action { kDeny, kFilterFields, kMaskFields, kFilterSensitiveFields };

  std::string condition;
  std::optional<cel::Program> program;  // always, in an endpoint that was loaded
  Action action = Action::kDeny;
  std::optional<std::string> reason;
  std::vector<std::string> fields;
  Place place;  // of the condition
  TextMap map;  // of its text

  // The place in the user's file; `place` when it is unknown.
  Place at_offset(std::size_t byte_offset) const;
};

struct Policies {
  std::vector<PolicyRule> input, output;
  // What the conditions name, in the order of the programs' values. Input: the parameters and the
  // user (who hides a parameter of that name). Output: the user and the response.
  std::vector<std::string> input_names;
  static constexpr std::string_view kUser = "user", kResponse = "response";
  // What the output rules may do to a result.
  types::ResultChanges changes;

  bool any() const { return !input.empty() || !output.empty(); }
};

struct Endpoint {
  EndpointKind kind = EndpointKind::kTool;
  std::string name;   // of a resource: its name, else its URI
  std::string uri;    // resources
  std::string title;  // for people; of a tool also what its annotations say
  std::string description;
  std::vector<std::string> tags;
  std::optional<Annotations> annotations;
  Array icons;  // as MCP has them: {"src": ..., "mimeType": ...}
  Object meta;  // `_meta`
  std::optional<std::string> mime_type;
  Object content_annotations;  // resources: audience, priority, lastModified
  std::optional<CacheSettings> cache;
  TaskSettings task;
  types::ParameterSet parameters;
  std::vector<HeaderParameter> header_parameters;
  std::optional<types::Type> return_type;
  // `output_schema`, as JSON text, made true for results that policies changed; return_type then
  // says no more than its type.
  std::shared_ptr<const std::string> output_schema;
  bool return_derived = false;  // from the prepared SQL, see Project::with_endpoints; not declared
  Language language = Language::kSql;
  Source source;                        // of a prompt: Python, in place of messages
  std::vector<PromptMessage> messages;  // prompts
  Policies policies;
  std::vector<TestCase> tests;
  Object metadata;
  Limits limits;  // its own and, where it has none, the site's
  bool enabled = true;
  bool free_sql = false;    // built in: its argument `sql` is the statement, read-only and bounded
  bool only_reads = false;  // the SQL of a completion: runs in a read-only transaction

  fs::path file;             // absolute
  std::string display_file;  // relative to the root
  Place place;               // of the name

  std::optional<ContentSettings> content;  // tools; then there is no return_type

  // What the command line and duplicate checks use: the name, or the URI of a resource.
  const std::string& id() const { return kind == EndpointKind::kResource ? uri : name; }
};

// Reads one file. All problems are returned, sorted by place; the endpoint only when there are
// none. A YAML file of something else (neither tool nor resource nor prompt) has no kind, no errors
// and a warning.
struct EndpointFile {
  fs::path path;
  std::string display_path;
  std::optional<EndpointKind> kind;  // as far as it could be told
  Place kind_place;                  // of its key; unknown when the kind is only guessed
  std::string name;                  // likewise; of a resource its URI. Guessed when it is no YAML
  Place name_place;                  // unknown when the name is only guessed
  bool enabled = true;
  std::shared_ptr<const Endpoint> endpoint;
  // In its place, when the errors are of a kind that its code can be checked in spite of: a key
  // that does not exist, a value that is wrong. Never to be called; parameters whose declarations
  // are wrong have only their names.
  std::shared_ptr<const Endpoint> draft;
  std::vector<Error> errors;
  std::vector<Error> warnings;
};
// `limits`: those that hold where it declares none.
EndpointFile load_endpoint(const fs::path& path, const fs::path& root,
                           const Limits& limits = Limits::defaults());
// The same of a text that is in no file; `name` stands for it in messages.
EndpointFile parse_endpoint(std::string_view text, const std::string& name,
                            const Limits& limits = Limits::defaults());

}  // namespace mxcp::project
