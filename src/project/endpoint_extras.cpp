#include "project/endpoint_extras.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "project/type_reader.h"

namespace mxcp::project {
namespace {

const Keys kTaskKeys = {"support", "questions", "ttl", "poll_interval"};
const Keys kSupports = {"forbidden", "optional", "required"};
const Keys kQuestionTimes = {"during", "before"};
const Keys kIconKeys = {"src", "mimeType", "sizes", "theme"};
const Keys kThemes = {"light", "dark"};
const Advice kIconAdvice = {
    {"mime_type", "did you mean 'mimeType'?"},
    {"url", "did you mean 'src'?"},
    {"href", "did you mean 'src'?"},
    {"size", "did you mean 'sizes', a list?"},
};
const Keys kContentKeys = {"audience", "priority", "lastModified"};
const Advice kContentAdvice = {{"last_modified", "did you mean 'lastModified'?"}};
const Keys kRoles = {"user", "assistant"};
const Keys kBlockKeys = {"type", "mime_type", "uri", "annotations"};
const Advice kBlockAdvice = {{"mimeType", "did you mean 'mime_type'?"},
                             {"kind", "did you mean 'type'?"}};
const Keys kBlockTypes = {"image", "audio", "resource", "resource_link"};
const Keys kCacheKeys = {"ttl", "scope"};
const Keys kScopes = {"private", "public"};

constexpr std::pair<std::string_view, double> kUnits[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || !(amount > 0)) return {};
  const std::string_view unit = trim(std::string_view(end, text.data() + text.size()));
  double factor = unit.empty() ? 1'000 : 0;
  for (const auto& [name, milliseconds] : kUnits) {
    if (unit == name) factor = milliseconds;
  }
  const double milliseconds = std::round(amount * factor);
  constexpr double kYear = 366.0 * 86'400'000;
  if (milliseconds < 1 || milliseconds > kYear) return {};
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds));
}

// "io.modelcontextprotocol/x" and the like belong to the protocol.
bool is_reserved(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == key.npos) return false;
  const auto labels = split(key.substr(0, slash), '.');
  return labels.size() >= 2 && (labels[1] == "modelcontextprotocol" || labels[1] == "mcp");
}

}  // namespace

void read_icons(Problems& problems, Fields& owner, Array& out) {
  const YamlNode* const list = owner.list("icons", "begin each icon with '- src: '");
  if (list == nullptr) return;
  for (const YamlNode& item : list->items) {
    Fields fields(problems, item, "an icon", problems.place(item), kIconKeys, kIconAdvice);
    if (!fields.is_mapping()) continue;
    Object icon;
    const std::string src = fields.required_text("src", "an https: or data: URI");
    if (!src.empty() && !src.starts_with("https://") && !src.starts_with("http://") &&
        !src.starts_with("data:")) {
      problems.error(fields.place_of("src"), "'" + shorten(src, 60) + "' is no address for an icon",
                     "clients load https: and data: URIs");
    }
    icon.add("src", src);
    if (const auto type = fields.text("mimeType")) icon.add("mimeType", *type);
    if (const auto sizes = fields.texts("sizes", true)) {
      icon.add("sizes", Array(sizes->begin(), sizes->end()));
    }
    if (const auto theme = fields.choice("theme", kThemes)) {
      icon.add("theme", std::string(kThemes[*theme]));
    }
    out.emplace_back(std::move(icon));
  }
}

std::optional<std::chrono::milliseconds> read_duration(Fields& fields, std::string_view key) {
  const YamlNode* const node = fields.find(key);
  if (node == nullptr) return {};
  if (node->kind == YamlNode::Kind::kScalar) {
    if (const auto parsed = parse_duration(trim(node->scalar))) return parsed;
  }
  fields.wrong(key, "a time, such as 30s, 500ms, 10m, 2h or a number of seconds");
  return {};
}

void read_task(Problems& problems, Fields& tool, TaskSettings& out) {
  const YamlNode* const node = tool.find("task");
  if (node == nullptr) return;
  const auto take = [&](Fields& from, std::string_view key) {
    if (const auto index = from.choice(key, kSupports)) {
      out.support = static_cast<TaskSupport>(*index);
    }
  };
  if (node->kind != YamlNode::Kind::kMapping) return take(tool, "task");
  Fields fields(problems, *node, "the task", tool.key_place("task"), kTaskKeys);
  if (!fields.has("support")) fields.missing("support", "'optional' or 'required'");
  take(fields, "support");
  out.asks_first = fields.choice("questions", kQuestionTimes) == 1;
  out.ttl = read_duration(fields, "ttl");
  out.poll_interval = read_duration(fields, "poll_interval");
}

void read_appearance(Problems& problems, Fields& fields, Endpoint& out) {
  out.title = fields.text("title").value_or("");
  if (out.title.empty() && out.annotations) out.title = out.annotations->title.value_or("");
  read_icons(problems, fields, out.icons);
  const YamlNode* const meta = fields.mapping("_meta");
  if (meta == nullptr) return;
  for (const auto& member : meta->members) {
    if (!is_reserved(member.key)) continue;
    problems.error(problems.place(member),
                   "the key '" + shorten(member.key, 60) + "' belongs to the protocol itself",
                   "use a domain of your own, for example 'com.example/" +
                       shorten(member.key.substr(member.key.find('/') + 1), 40) + "'");
  }
  out.meta = *meta->to_value().as_object();
}

void read_content_annotations(Problems& problems, Fields& resource, Object& out) {
  const YamlNode* const node = resource.find("annotations");
  if (node == nullptr) return;
  Fields fields(problems, *node, "the annotations", resource.key_place("annotations"), kContentKeys,
                kContentAdvice);
  if (!fields.is_mapping()) return;
  if (const auto audience = fields.texts("audience", true)) {
    for (const std::string& one : *audience) {
      if (std::find(kRoles.begin(), kRoles.end(), one) != kRoles.end()) continue;
      problems.error(fields.place_of("audience"),
                     "'" + shorten(one, 60) + "' is no audience; it is 'user' or 'assistant'",
                     suggest(one, kRoles));
    }
    out.add("audience", Array(audience->begin(), audience->end()));
  }
  if (const YamlNode* const priority = fields.find("priority")) {
    const Value value = priority->to_value();
    const double number = value.is_number() ? to_double(value) : -1;
    if (number >= 0 && number <= 1) {
      out.add("priority", value);
    } else {
      fields.wrong("priority", "a number from 0 to 1");
    }
  }
  if (const auto modified = fields.text("lastModified")) out.add("lastModified", *modified);
}

std::string_view name_of(ContentKind kind) {
  return kBlockTypes[static_cast<std::size_t>(kind)];
}

void read_content(Problems& problems, Fields& tool, std::optional<ContentSettings>& out) {
  const YamlNode* const node = tool.find("content");
  if (node == nullptr) return;
  const std::size_t before = problems.error_count();
  if (node->kind == YamlNode::Kind::kScalar) {
    tool.wrong("content", "a mapping with a 'type'", "write {type: image, mime_type: image/png}");
    return;
  }
  for (const std::string_view key : {"return", "output_schema"}) {
    if (!tool.has(key)) continue;
    problems.error(tool.key_place(key),
                   "'" + std::string(key) + "' and 'content' both say what the result is",
                   "a content block is no data: remove one of them");
  }
  Fields fields(problems, *node, "the content", tool.key_place("content"), kBlockKeys,
                kBlockAdvice);
  if (!fields.is_mapping()) return;
  ContentSettings content;
  content.place = tool.key_place("content");
  const auto kind = fields.choice("type", kBlockTypes);
  if (!fields.has("type")) fields.missing("type", enumerate(kBlockTypes, "or"));
  content.mime_type = fields.text("mime_type").value_or("");
  content.uri = fields.text("uri").value_or("");
  read_content_annotations(problems, fields, content.annotations);
  if (!kind) return;
  content.kind = static_cast<ContentKind>(*kind);
  const std::string name(name_of(content.kind));
  if (content.kind == ContentKind::kImage || content.kind == ContentKind::kAudio) {
    const std::string example = name == "image" ? "image/png" : "audio/wav";
    if (!fields.has("mime_type")) {
      fields.missing("mime_type", "for example '" + example + "'");
    } else if (fields.find("mime_type") != nullptr && !content.mime_type.starts_with(name + '/')) {
      problems.error(fields.place_of("mime_type"),
                     "'" + shorten(content.mime_type, 60) + "' is no type of " + name,
                     "for example '" + example + "'; anything else can be 'type: resource'");
    }
  } else if (fields.find("mime_type") != nullptr &&
             content.mime_type.find('/') == std::string::npos) {
    problems.error(fields.place_of("mime_type"),
                   "'" + shorten(content.mime_type, 60) + "' is no MIME type",
                   "for example 'application/pdf' or 'text/csv'");
  }
  if (content.kind == ContentKind::kResource) {
    fields.required_text("uri", "for example 'reports://{year}'");
  } else if (fields.has("uri")) {
    problems.error(fields.key_place("uri"), "'uri' belongs to 'type: resource'",
                   content.kind == ContentKind::kResourceLink ? "the result says where links lead"
                                                              : "remove it");
  }
  if (problems.error_count() == before) out = std::move(content);
}

void read_cache(Problems& problems, Fields& resource, std::optional<CacheSettings>& out) {
  const YamlNode* const node = resource.find("cache");
  if (node == nullptr) return;
  Fields fields(problems, *node, "the cache settings", resource.key_place("cache"), kCacheKeys);
  if (!fields.is_mapping()) return;
  CacheSettings settings;
  if (!fields.has("ttl")) fields.missing("ttl", "how long clients may keep it, for example 5m");
  settings.ttl = read_duration(fields, "ttl").value_or(settings.ttl);
  settings.same_for_all = fields.choice("scope", kScopes) == 1;
  out = settings;
}

// --- headers ------------------------------------------------------------------------------------

namespace {

class HeaderCollector {
 public:
  HeaderCollector(Problems& problems, std::vector<HeaderParameter>& out)
      : problems_(problems), out_(out) {}

  void add(const std::string& token, std::vector<std::string> path, types::Kind kind,
           const Place& place) {
    const std::string header = "Mcp-Param-" + token;
    const bool taken = std::any_of(out_.begin(), out_.end(), [&](const HeaderParameter& other) {
      return to_lower(other.header) == to_lower(header);
    });
    if (taken) {
      problems_.error(place,
                      "another parameter has the header '" + shorten(token, 60) + "' already",
                      "headers differ in more than upper and lower case");
      return;
    }
    out_.push_back({header, std::move(path), kind});
  }

  void unreachable(const Place& place) {
    problems_.error(place, "no client could find the value for this header",
                    "'x-mcp-header' stands at a parameter, or at a property of an object inside of "
                    "one; not inside of a list");
  }

  void walk(const types::TypeSpec& spec, const std::vector<std::string>& path, bool reachable) {
    if (!spec.mcp_header.empty()) {
      const auto it = spec.places.find("x-mcp-header");
      const Place& place = it == spec.places.end() ? spec.place : it->second;
      if (reachable) {
        add(spec.mcp_header, path, spec.kind, place);
      } else {
        unreachable(place);
      }
    }
    if (spec.items != nullptr) walk(*spec.items, path, false);
    for (const auto& [name, property] : spec.properties) {
      auto inner = path;
      inner.push_back(name);
      walk(property, inner, reachable);
    }
  }

 private:
  Problems& problems_;
  std::vector<HeaderParameter>& out_;
};

}  // namespace

void check_parameter_extras(Problems& problems, EndpointKind kind,
                            const std::vector<types::ParameterSpec>& specs,
                            std::vector<HeaderParameter>& headers) {
  HeaderCollector collector(problems, headers);
  for (const auto& spec : specs) collector.walk(spec.type, {spec.name}, true);
  if (kind != EndpointKind::kTool) {
    headers.clear();
    return;
  }
  for (const auto& spec : specs) {
    if (spec.type.completion.empty()) continue;
    problems.warning(spec.type.places.at("completion"),
                     "'completion' has no effect here: clients complete the arguments of prompts "
                     "and of resources",
                     "remove it; 'enum' and 'examples' tell a model what fits");
  }
}

// --- schemas ------------------------------------------------------------------------------------

namespace {

constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";
constexpr int kMaxDepth = 40;
constexpr int kMaxSchemas = 5'000;

// Keywords whose values are data, not schemas.
const Keys kDataKeywords = {"const", "enum", "default", "examples", "required", "type"};

class SchemaReader {
 public:
  SchemaReader(Problems& problems, const YamlNode& root, std::string_view key)
      : problems_(problems), root_(root), key_(key), headers_(problems, schema_.headers) {}

  std::optional<OwnSchema> read() {
    const std::size_t before = problems_.error_count();
    if (root_.kind != YamlNode::Kind::kMapping) {
      problems_.error(problems_.place(root_),
                      "'" + key_ + "' must be a JSON Schema, found " + root_.describe(),
                      "write its keywords under it, beginning with 'type: object'");
      return {};
    }
    const YamlNode* const type = root_.find("type");
    if (type == nullptr || type->scalar != "object") {
      problems_.error(problems_.place(type == nullptr ? root_ : *type),
                      "'" + key_ + "' must have 'type: object'",
                      "MCP sends arguments and structured results as objects");
    }
    collect_anchors(root_, 0);
    if (!too_deep_) walk(root_, {}, key_ == "input_schema", 0);
    if (problems_.error_count() > before) return {};
    schema_.value = root_.to_value();
    return std::move(schema_);
  }

 private:
  void collect_anchors(const YamlNode& node, int depth) {
    if (depth > 2 * kMaxDepth || ++seen_ > 4 * kMaxSchemas) {
      if (!std::exchange(too_deep_, true)) {
        problems_.error(problems_.place(node), "the schema is too large or too deeply nested",
                        "at most " + std::to_string(kMaxDepth) + " levels and " +
                            std::to_string(kMaxSchemas) + " schemas");
      }
      return;
    }
    for (const auto& member : node.members) {
      if (member.key == "$anchor" || member.key == "$dynamicAnchor") {
        anchors_.push_back(member.value.scalar);
      }
      collect_anchors(member.value, depth + 1);
    }
    for (const YamlNode& item : node.items) collect_anchors(item, depth + 1);
  }

  // The node that "#/a/b" leads to.
  bool leads_somewhere(std::string_view reference) const {
    if (reference == "#") return true;
    if (!reference.starts_with("#/")) {
      return std::find(anchors_.begin(), anchors_.end(), reference.substr(1)) != anchors_.end();
    }
    const YamlNode* node = &root_;
    for (std::string step : split(reference.substr(2), '/')) {
      step = replace_all(replace_all(std::move(step), "~1", "/"), "~0", "~");
      if (node->kind == YamlNode::Kind::kSequence) {
        std::size_t index = 0;
        const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
        if (error != std::errc() || end != step.data() + step.size()) return false;
        if (index >= node->items.size()) return false;
        node = &node->items[index];
      } else {
        node = node->find(step);
        if (node == nullptr) return false;
      }
    }
    return true;
  }

  void check_reference(const YamlNode::Member& member) {
    const std::string& target = member.value.scalar;
    if (member.value.kind != YamlNode::Kind::kScalar || !target.starts_with('#')) {
      problems_.error(problems_.place(member.value),
                      "'" + member.key + "' leads out of this schema",
                      "nothing is loaded from elsewhere: put the schema under '$defs' and write "
                      "'#/$defs/<name>'");
    } else if (!leads_somewhere(target)) {
      problems_.error(problems_.place(member.value),
                      "'" + shorten(target, 80) + "' leads to nothing in this schema");
    }
  }

  void check_dialect(const YamlNode::Member& member) {
    std::string_view dialect = member.value.scalar;
    if (dialect.ends_with('#')) dialect.remove_suffix(1);
    if (dialect == kDialect) return;
    problems_.error(problems_.place(member.value),
                    "'" + shorten(member.value.scalar, 80) + "' is no dialect that is known here",
                    "write '" + std::string(kDialect) + "', or leave '$schema' out");
  }

  void take_header(const YamlNode& schema, const YamlNode::Member& member,
                   const std::vector<std::string>& path, bool reachable) {
    const Place place = problems_.place(member.value);
    if (!reachable || path.empty()) return headers_.unreachable(place);
    const YamlNode* const type = schema.find("type");
    const auto kind = type == nullptr ? std::nullopt : types::kind_from(type->scalar);
    const bool fits = kind == types::Kind::kString || kind == types::Kind::kInteger ||
                      kind == types::Kind::kBoolean;
    if (!is_text(member.value)) {
      problems_.error(place, "'x-mcp-header' must be a string, found " + member.value.describe(),
                      quote_hint(member.value));
    } else if (!is_header_token(member.value.scalar)) {
      problems_.error(place, "'" + shorten(member.value.scalar, 60) + "' is no name for a header",
                      "letters, digits and - only, for example 'Region'");
    } else if (!fits) {
      problems_.error(place, "a header repeats a string, an integer or a boolean",
                      "say so by 'type:' beside it");
    } else {
      headers_.add(member.value.scalar, path, *kind, place);
    }
  }

  // `reachable`: only `properties` lead here.
  void walk(const YamlNode& node, const std::vector<std::string>& path, bool reachable, int depth) {
    if (depth > kMaxDepth) {
      if (!std::exchange(too_deep_, true)) {
        problems_.error(problems_.place(node), "the schema is too deeply nested",
                        "at most " + std::to_string(kMaxDepth) + " levels");
      }
      return;
    }
    for (const YamlNode& item : node.items) walk(item, {}, false, depth + 1);
    for (const auto& member : node.members) {
      if (member.key == "$ref" || member.key == "$dynamicRef") {
        check_reference(member);
      } else if (member.key == "$schema") {
        check_dialect(member);
      } else if (member.key == "$id" && &node != &root_) {
        problems_.error(problems_.place(member), "'$id' can only stand at the top of the schema");
      } else if (member.key == "x-mcp-header") {
        take_header(node, member, path, reachable);
      } else if (member.key == "properties" || member.key == "$defs" ||
                 member.key == "patternProperties" || member.key == "dependentSchemas") {
        for (const auto& property : member.value.members) {
          auto inner = path;
          inner.push_back(property.key);
          walk(property.value, inner, reachable && member.key == "properties", depth + 1);
        }
      } else if (std::find(kDataKeywords.begin(), kDataKeywords.end(), member.key) ==
                 kDataKeywords.end()) {
        walk(member.value, {}, false, depth + 1);
      }
    }
  }

  Problems& problems_;
  const YamlNode& root_;
  const std::string key_;
  OwnSchema schema_;
  HeaderCollector headers_;
  std::vector<std::string> anchors_;
  int seen_ = 0;
  bool too_deep_ = false;
};

}  // namespace

std::optional<OwnSchema> read_schema(Problems& problems, const YamlNode& node,
                                     std::string_view key) {
  return SchemaReader(problems, node, key).read();
}

}  // namespace mxcp::project
