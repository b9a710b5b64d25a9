#include <yaml.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "base/yaml.h"
#include "base/yaml_scalar.h"
#include "base/yaml_text.h"

namespace mxcp {
namespace {

using yaml::SyntaxProblem;
using yaml::Text;

std::string_view text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

yaml::ScalarStyle style_of(yaml_scalar_style_t style) {
  switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return yaml::ScalarStyle::kSingleQuoted;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return yaml::ScalarStyle::kDoubleQuoted;
    case YAML_LITERAL_SCALAR_STYLE: return yaml::ScalarStyle::kLiteral;
    case YAML_FOLDED_SCALAR_STYLE: return yaml::ScalarStyle::kFolded;
    default: return yaml::ScalarStyle::kPlain;
  }
}

// One event of the parser, freed at the end of its scope.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }

  // False when the parser found an error.
  bool read(yaml_parser_t& parser) { return yaml_parser_parse(&parser, &event_) != 0; }
  const yaml_event_t& operator*() const { return event_; }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
};

// Builds the tree from libyaml's events, until `error` is set.
class Builder {
 public:
  Builder(const Text& text, const YamlLimits& limits) : text_(text), limits_(limits) {}

  std::optional<Error> error;
  std::optional<YamlNode> root;
  SyntaxProblem state;  // where the reader stands, for explain()

  void take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT: return on_document(event);
      case YAML_ALIAS_EVENT: return on_alias(event);
      case YAML_SCALAR_EVENT: return on_scalar(event);
      case YAML_SEQUENCE_START_EVENT: {
        const auto& start = event.data.sequence_start;
        return open(event, text_of(start.tag), text_of(start.anchor), YamlNode::Kind::kSequence,
                    start.style == YAML_FLOW_SEQUENCE_STYLE);
      }
      case YAML_MAPPING_START_EVENT: {
        const auto& start = event.data.mapping_start;
        return open(event, text_of(start.tag), text_of(start.anchor), YamlNode::Kind::kMapping,
                    start.style == YAML_FLOW_MAPPING_STYLE);
      }
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: return close();
      default: return;
    }
  }

  // The offset of the innermost [ or { that is open.
  std::optional<std::size_t> open_bracket() const {
    for (auto open = stack_.rbegin(); open != stack_.rend(); ++open) {
      const char first = text_.all()[open->start];
      if (open->flow && (first == '[' || first == '{')) return open->start;
    }
    return {};
  }

 private:
  struct Open {
    YamlNode node;
    std::size_t start = 0;
    std::string anchor;  // "" when it has none
    bool flow = false;
    bool has_key = false;
    bool has_merge = false;
    std::string key;
    std::size_t key_start = 0;
    bool key_quoted = false;
    std::size_t nodes = 1;
    std::size_t height = 0;                // of the tallest child
    std::unordered_set<std::string> keys;  // filled once the mapping is large
  };
  struct Anchored {
    YamlNode node;
    std::size_t nodes;
    std::size_t height;
  };

  void on_document(const yaml_event_t& event) {
    if (++documents_ < 2) return;
    fail("the file holds more than one YAML document", text_.line_of(offset_of(event.start_mark)),
         0, "remove the line '---' or split the file in two");
  }

  void on_alias(const yaml_event_t& event) {
    const std::size_t at = offset_of(event.start_mark);
    const std::string name(text_of(event.data.alias.anchor));
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      for (const Open& open : stack_) {
        if (open.anchor != name) continue;
        return fail_at("an alias cannot refer to the value that contains it", at);
      }
      error = yaml::explain_alias(text_, at);
      return;
    }
    if (expects_key()) return fail_at("a key cannot be an alias", at, "write the key out");
    const Anchored& target = found->second;
    if (stack_.size() + target.height > limits_.max_depth) return fail_depth(at);
    // Checked before copying, so that a bomb costs nothing.
    nodes_ += target.nodes;
    if (nodes_ > limits_.max_nodes) return fail_nodes(at);
    attach(YamlNode(target.node), target.nodes, target.height);
  }

  void on_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    const std::string_view tag = text_of(scalar.tag);
    const std::string_view value(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const std::size_t begin = offset_of(event.start_mark);
    const std::size_t at = skip_properties(begin);
    const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && tag.empty()) {
      if (value.empty()) return on_missing(begin, at, text_of(scalar.anchor));
      if (!expects_key() && is_null(value)) {
        state.read_scalar(at, 0);
        return finish(YamlNode(), at, text_of(scalar.anchor));
      }
    }
    const bool quoted = scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                        scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    state.read_scalar(at, quoted ? offset_of(event.end_mark) : 0);

    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.scalar = value;
    node.plain = plain && tag.empty();
    if (!tag.empty() && !apply_tag(node, tag, begin)) return;
    if (expects_key()) {
      remember(text_of(scalar.anchor), node, 1, 0);
      return put_key(at, node.scalar, node.plain);
    }
    node.map = yaml::locate_scalar(text_, at, style_of(scalar.style), node.scalar);
    finish(std::move(node), at, text_of(scalar.anchor));
  }

  // A key or value that is not written. libyaml places it behind the colon or dash before it.
  void on_missing(std::size_t begin, std::size_t at, std::string_view anchor) {
    if (expects_key()) return fail_at("a key is missing before the colon", at);
    if (!stack_.empty()) {
      const Open& parent = stack_.back();
      if (parent.node.kind == YamlNode::Kind::kMapping) {
        if (parent.flow && !check_colon()) return;
        at = parent.key_start;
      } else if (!parent.flow && begin > 0) {
        at = begin - 1;
      }
    }
    finish(YamlNode(), at, anchor);
  }

  // libyaml counts characters.
  std::size_t offset_of(const yaml_mark_t& mark) const {
    return text_.offset_of_character(mark.index);
  }

  void fail(std::string message, std::size_t line, std::size_t column, std::string hint = {}) {
    if (error) return;
    error = Error{Code::kConfig, std::move(message), text_.place(line, column), std::move(hint)};
  }
  void fail_at(std::string message, std::size_t offset, std::string hint = {}) {
    fail(std::move(message), text_.line_of(offset), text_.column_of(offset), std::move(hint));
  }
  void fail_depth(std::size_t at) {
    fail_at("values are nested deeper than " + std::to_string(limits_.max_depth) + " levels", at);
  }
  void fail_nodes(std::size_t at) {
    fail_at("the file holds more than " + std::to_string(limits_.max_nodes) + " values", at,
            "aliases (*name) count with all that they repeat");
  }
  void fail_unclosed_quote(std::size_t at) {
    fail_at(std::string("the text that begins with ") + text_.all()[at] + " here is never closed",
            at, std::string("add ") + text_.all()[at] + " at its end");
  }

  bool expects_key() const {
    return !stack_.empty() && stack_.back().node.kind == YamlNode::Kind::kMapping &&
           !stack_.back().has_key;
  }

  // The offset behind an anchor (&x) or tag (!x) that stands before the value.
  std::size_t skip_properties(std::size_t at) const {
    const std::string& all = text_.all();
    while (at < all.size() && (all[at] == '&' || all[at] == '!')) {
      const auto end = all.find_first_of(" \t\n,[]{}", at);
      const auto next = end == std::string::npos ? end : all.find_first_not_of(" \t\n", end);
      if (next == std::string::npos) return all.size();
      at = next;
    }
    return at;
  }

  static bool is_null(std::string_view word) {
    return word == "~" || word == "null" || word == "Null" || word == "NULL";
  }

  // In braces a key may stand alone, but {type:string} is not what its author meant.
  bool check_colon() {
    const Open& map = stack_.back();
    if (map.key_quoted) return true;
    const auto colon = map.key.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == map.key.size()) return true;
    fail_at(
        "a space is missing after the colon in '" + shorten(map.key, 60) + "'",
        map.key_start + colon,
        "write '" + shorten(map.key.substr(0, colon) + ": " + map.key.substr(colon + 1), 60) + "'");
    return false;
  }

  bool apply_tag(YamlNode& node, std::string_view tag, std::size_t at) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag == "!") return true;
    if (tag.compare(0, kCore.size(), kCore) == 0) {
      const std::string_view type = tag.substr(kCore.size());
      if (type == "str") return true;
      if (type == "int" || type == "float" || type == "bool" || type == "null") {
        node.plain = true;
        return true;
      }
    }
    fail_tag(tag, at);
    return false;
  }

  void fail_tag(std::string_view tag, std::size_t at) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    std::string written(tag);
    if (tag.compare(0, kCore.size(), kCore) == 0) written.replace(0, kCore.size(), "!!");
    fail_at("the YAML tag '" + written + "' is not supported", at,
            "put text that begins with '!' in quotes");
  }

  void put_key(std::size_t at, std::string key, bool plain = true) {
    Open& map = stack_.back();
    if (const YamlNode::Member* first = find_key(map, key)) {
      return fail_at("the key '" + shorten(key, 60) + "' appears twice; it is already on line " +
                         std::to_string(first->line),
                     at, "remove or rename one of them");
    }
    if (plain && key == "<<") map.has_merge = true;
    map.key = std::move(key);
    map.key_start = at;
    map.key_quoted = !plain;
    map.has_key = true;
  }

  // Linear in small mappings, by hash in large ones.
  const YamlNode::Member* find_key(Open& map, const std::string& key) {
    constexpr std::size_t kLarge = 32;
    if (map.node.members.size() < kLarge) return map.node.find_member(key);
    if (map.keys.empty()) {
      for (const auto& member : map.node.members) map.keys.insert(member.key);
    }
    return map.keys.insert(key).second ? nullptr : map.node.find_member(key);
  }

  void open(const yaml_event_t& event, std::string_view tag, std::string_view anchor,
            YamlNode::Kind kind, bool flow) {
    const std::size_t at = offset_of(event.start_mark);
    if (expects_key()) {
      return fail_at("a key must be a single word or text, found " +
                         std::string(kind == YamlNode::Kind::kMapping ? "a mapping" : "a list"),
                     at, "put text that begins with '{' or '[' in quotes");
    }
    if (!tag.empty() && tag != "!" && tag != "tag:yaml.org,2002:map" &&
        tag != "tag:yaml.org,2002:seq") {
      return fail_tag(tag, at);
    }
    if (stack_.size() + 1 > limits_.max_depth) return fail_depth(at);
    if (++nodes_ > limits_.max_nodes) return fail_nodes(at);
    Open container;
    container.node.kind = kind;
    container.start = skip_properties(at);
    set_place(container.node, container.start);
    container.anchor = anchor;
    container.flow = flow;
    stack_.push_back(std::move(container));
  }

  void close() {
    if (stack_.empty()) return;
    Open done = std::move(stack_.back());
    stack_.pop_back();
    if (done.has_merge && !merge(done)) return;
    const std::size_t height = done.height + 1;
    remember(done.anchor, done.node, done.nodes, height);
    attach(std::move(done.node), done.nodes, height);
  }

  // Replaces `<<: *base` by the members of base that the mapping does not have itself.
  bool merge(Open& map) {
    std::vector<YamlNode::Member> own;
    std::optional<YamlNode::Member> source;
    for (auto& member : map.node.members) {
      if (member.key == "<<") {
        source = std::move(member);
      } else {
        own.push_back(std::move(member));
      }
    }
    map.node.members = std::move(own);
    std::unordered_set<std::string> present;
    for (const auto& member : map.node.members) present.insert(member.key);
    std::vector<YamlNode> bases;
    if (source->value.kind == YamlNode::Kind::kSequence) {
      bases = std::move(source->value.items);
    } else {
      bases.push_back(std::move(source->value));
    }
    for (YamlNode& base : bases) {
      if (base.kind != YamlNode::Kind::kMapping) {
        error = Error{Code::kConfig,
                      "'<<' merges mappings, found " + base.describe(),
                      {text_.place(0, 0).file, source->line, source->column},
                      "write '<<: *name' with an anchor of a mapping"};
        return false;
      }
      for (auto& member : base.members) {
        if (present.insert(member.key).second) map.node.members.push_back(std::move(member));
      }
    }
    return true;
  }

  void set_place(YamlNode& node, std::size_t at) const {
    const std::size_t line = text_.line_of(at);
    node.line = static_cast<int>(line) + 1;
    node.column = text_.display_column(line, text_.column_of(at));
  }

  void finish(YamlNode node, std::size_t at, std::string_view anchor) {
    if (++nodes_ > limits_.max_nodes) return fail_nodes(at);
    set_place(node, at);
    remember(anchor, node, 1, 0);
    attach(std::move(node), 1, 0);
  }

  void remember(std::string_view anchor, const YamlNode& node, std::size_t nodes,
                std::size_t height) {
    if (anchor.empty()) return;
    // A copy, so it counts: anchors around anchors must not multiply the memory.
    remembered_ += nodes;
    if (remembered_ > limits_.max_nodes) {
      error =
          Error{Code::kConfig,
                "anchors (&name) hold more than " + std::to_string(limits_.max_nodes) + " values",
                {text_.place(0, 0).file, node.line, node.column}};
      return;
    }
    anchors_.insert_or_assign(std::string(anchor), Anchored{node, nodes, height});
  }

  void attach(YamlNode node, std::size_t nodes, std::size_t height) {
    if (stack_.empty()) {
      if (!root) root = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    parent.nodes += nodes;
    parent.height = std::max(parent.height, height);
    if (parent.node.kind == YamlNode::Kind::kSequence) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    const std::size_t line = text_.line_of(parent.key_start);
    parent.node.members.push_back({std::move(parent.key), static_cast<int>(line) + 1,
                                   text_.display_column(line, text_.column_of(parent.key_start)),
                                   std::move(node)});
    parent.has_key = false;
  }

  const Text& text_;
  const YamlLimits& limits_;
  std::vector<Open> stack_;
  std::unordered_map<std::string, Anchored> anchors_;
  std::size_t nodes_ = 0;
  std::size_t remembered_ = 0;
  int documents_ = 0;
};

Error out_of_memory(const std::string& file) {
  return {Code::kInternal, "not enough memory to read the file", {file}};
}

Error explain(const Text& text, const yaml_parser_t& parser, const Builder& builder) {
  SyntaxProblem problem = builder.state;
  problem.open_bracket = builder.open_bracket();
  problem.message = parser.problem == nullptr ? "" : parser.problem;
  // The reader's errors (a character that YAML does not allow) have an offset in bytes, no mark.
  problem.offset = parser.error == YAML_READER_ERROR
                       ? parser.problem_offset
                       : text.offset_of_character(parser.problem_mark.index);
  if (parser.context != nullptr) {
    problem.context = parser.context;
    problem.context_offset = text.offset_of_character(parser.context_mark.index);
  }
  return yaml::explain(text, problem);
}

}  // namespace

Result<YamlNode> parse_yaml(std::string_view bytes, const std::string& file,
                            const YamlLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return Error{Code::kConfig,
                 "the file has " + std::to_string(bytes.size()) + " bytes, more than the " +
                     std::to_string(limits.max_bytes) + " that are allowed",
                 {file}};
  }
  MXCP_TRY(const Text text, Text::decode(bytes, file));
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) return out_of_memory(file);
  const std::unique_ptr<yaml_parser_t, decltype(&yaml_parser_delete)> guard(&parser,
                                                                            yaml_parser_delete);
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.all().data()),
                               text.all().size());

  Builder builder(text, limits);
  for (bool more = true; more;) {
    Event event;
    if (!event.read(parser)) {
      if (parser.error == YAML_MEMORY_ERROR) return out_of_memory(file);
      return explain(text, parser, builder);
    }
    builder.take(*event);
    if (builder.error) return *std::move(builder.error);
    more = event->type != YAML_STREAM_END_EVENT;
  }
  if (!builder.root) {
    YamlNode nothing;
    nothing.line = nothing.column = 1;
    return nothing;
  }
  return *std::move(builder.root);
}

}  // namespace mxcp
