#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <istream>
#include <optional>
#include <streambuf>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "base/yaml.h"
#include "base/yaml_text.h"

namespace mxcp {
namespace {

using yaml::SyntaxProblem;
using yaml::Text;

class MemoryBuffer final : public std::streambuf {
 public:
  explicit MemoryBuffer(const std::string& text) {
    char* const begin = const_cast<char*>(text.data());  // only read from
    setg(begin, begin, begin + text.size());
  }
};

// Receives yaml-cpp's events and builds the tree. yaml-cpp cannot be stopped from a handler other
// than by throwing, so after the first error the remaining events are ignored.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const Text& text, const YamlLimits& limits) : text_(text), limits_(limits) {}

  std::optional<Error> error;
  std::optional<YamlNode> root;
  SyntaxProblem state;  // where the reader stands, for explain()

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      const std::size_t line = line_of(mark);
      fail("the file holds more than one YAML document", line, 0,
           "remove the line '---' or split the file in two");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (error) return;
    std::size_t at = skip_properties(offset_of(mark));
    const bool written = is_written_null(at);
    if (expects_key()) {
      if (!written) return fail_at("a key is missing before the colon", at);
      return put_key(at, std::string(word_at(at)));
    }
    if (!written && !stack_.empty()) {
      if (!check_colon()) return;
      if (!stack_.back().flow) at = place_of_missing_value(at);
    }
    YamlNode node;
    finish(std::move(node), at, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (error) return;
    const std::size_t at = offset_of(mark);
    if (anchor >= anchors_.size() || !anchors_[anchor]) {
      return fail_at("an alias cannot refer to the value that contains it", at);
    }
    if (expects_key()) return fail_at("a key cannot be an alias", at, "write the key out");
    const Anchored& target = *anchors_[anchor];
    if (stack_.size() + target.height > limits_.max_depth) return fail_depth(at);
    // Checked before copying, so that a bomb costs nothing.
    nodes_ += target.nodes;
    if (nodes_ > limits_.max_nodes) return fail_nodes(at);
    attach(YamlNode(target.node), target.nodes, target.height);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (error) return;
    const std::size_t begin = offset_of(mark);
    const std::size_t at = skip_properties(begin);
    const char first = at < text_.all().size() ? text_.all()[at] : '\0';
    const bool quoted = tag != "?" && (first == '"' || first == '\'');
    const std::size_t end = quoted ? end_of_quoted(at) : at;
    if (quoted && end == std::string::npos) return fail_unclosed_quote(at);
    state.has_scalar = true;
    state.last_scalar = at;
    state.quoted_end = quoted ? end : 0;

    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.scalar = value;
    node.plain = tag == "?";
    if (!node.plain && !apply_tag(node, tag, begin)) return;
    if (expects_key()) {
      remember(anchor, node, 1, 0);
      return put_key(at, value, node.plain);
    }
    locate_text(node, at, first, quoted);
    finish(std::move(node), at, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, YamlNode::Kind::kSequence, style == YAML::EmitterStyle::Flow);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, YamlNode::Kind::kMapping, style == YAML::EmitterStyle::Flow);
  }
  void OnMapEnd() override { close(); }

  // Completes `state` before it is explained.
  void locate_open_flow() {
    for (auto open = stack_.rbegin(); open != stack_.rend(); ++open) {
      const char first = open->start < text_.all().size() ? text_.all()[open->start] : '\0';
      if (!open->flow || (first != '[' && first != '{')) continue;
      state.in_flow = true;
      state.flow_start = open->start;
      return;
    }
  }

 private:
  struct Open {
    YamlNode node;
    std::size_t start = 0;
    YAML::anchor_t anchor = 0;
    bool flow = false;
    bool has_key = false;
    bool has_merge = false;
    std::string key;
    std::size_t key_start = 0;
    std::size_t nodes = 1;
    std::size_t height = 0;                // of the tallest child
    std::unordered_set<std::string> keys;  // filled once the mapping is large
  };
  struct Anchored {
    YamlNode node;
    std::size_t nodes;
    std::size_t height;
  };

  std::size_t line_of(const YAML::Mark& mark) const {
    return static_cast<std::size_t>(std::max(mark.line, 0));
  }
  std::size_t offset_of(const YAML::Mark& mark) const {
    return text_.offset_of(line_of(mark), static_cast<std::size_t>(std::max(mark.column, 0)));
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

  std::string_view word_at(std::size_t at) const {
    const std::string_view rest = std::string_view(text_.all()).substr(at);
    return rest.substr(0, std::min(rest.find_first_of(" \t\n,]}:#"), rest.size()));
  }
  bool is_written_null(std::size_t at) const {
    const std::string_view word = word_at(at);
    return word == "~" || word == "null" || word == "Null" || word == "NULL";
  }

  // The offset behind the closing quote; npos when there is none.
  std::size_t end_of_quoted(std::size_t at) const {
    const std::string& all = text_.all();
    const char quote = all[at];
    for (std::size_t i = at + 1; i < all.size(); ++i) {
      if (quote == '"' && all[i] == '\\') {
        ++i;
      } else if (all[i] == quote) {
        if (quote == '\'' && i + 1 < all.size() && all[i + 1] == quote) {
          ++i;
        } else {
          return i + 1;
        }
      }
    }
    return std::string::npos;
  }

  // yaml-cpp takes "name" on a line of its own for a key without a value. In braces that is YAML,
  // but {type:string} is not what its author meant.
  bool check_colon() {
    const Open& map = stack_.back();
    if (map.node.kind != YamlNode::Kind::kMapping) return true;
    const std::string& all = text_.all();
    const char first = all[map.key_start];
    const std::size_t end = first == '"' || first == '\'' ? end_of_quoted(map.key_start)
                                                          : map.key_start + map.key.size();
    const auto next = all.find_first_not_of(" \t", end);
    if (next != std::string::npos && all[next] == ':') return true;
    const auto before =
        map.key_start == 0 ? std::string::npos : all.find_last_not_of(" \t\n", map.key_start - 1);
    if (before != std::string::npos && all[before] == '?') return true;
    const auto colon = map.key.find(':');
    if (colon != std::string::npos && colon > 0 && colon + 1 < map.key.size()) {
      fail_at("a space is missing after the colon in '" + shorten(map.key, 60) + "'",
              map.key_start + colon,
              "write '" + shorten(map.key.substr(0, colon) + ": " + map.key.substr(colon + 1), 60) +
                  "'");
    } else if (map.flow) {
      return true;
    } else {
      fail_at("'" + shorten(map.key, 60) + "' is not followed by a colon", map.key_start,
              "write '" + shorten(map.key, 60) + ": value'");
    }
    return false;
  }

  // yaml-cpp places a value that is not there at the token after it: its key says more, or the
  // dash of its list item.
  std::size_t place_of_missing_value(std::size_t at) const {
    const Open& parent = stack_.back();
    if (parent.node.kind == YamlNode::Kind::kMapping) return parent.key_start;
    std::size_t line = std::min(text_.line_of(at), text_.line_count() - 1);
    for (std::size_t steps = 0; steps <= line; ++steps) {
      const std::string_view content = text_.line(line - steps);
      const auto dash = content.rfind('-', steps == 0 ? text_.column_of(at) : std::string::npos);
      if (dash != std::string_view::npos && yaml::is_blank(content.substr(dash + 1)) &&
          text_.offset_of(line - steps, dash) < at) {
        return text_.offset_of(line - steps, dash);
      }
    }
    return at;
  }

  bool apply_tag(YamlNode& node, const std::string& tag, std::size_t at) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (tag == "!") return true;
    if (tag.compare(0, kCore.size(), kCore) == 0) {
      const std::string_view type = std::string_view(tag).substr(kCore.size());
      if (type == "str") return true;
      if (type == "int" || type == "float" || type == "bool" || type == "null") {
        node.plain = true;
        return true;
      }
    }
    fail_tag(tag, at);
    return false;
  }

  void fail_tag(const std::string& tag, std::size_t at) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    const bool core = tag.compare(0, kCore.size(), kCore) == 0;
    fail_at(
        "the YAML tag '" + (core ? "!!" + tag.substr(kCore.size()) : tag) + "' is not supported",
        at, "put text that begins with '!' in quotes");
  }

  void locate_text(YamlNode& node, std::size_t at, char first, bool quoted) const {
    if (node.scalar.empty()) return;
    if (!node.plain && first == '|') return locate_block(node, at);
    const std::size_t begin = at + (quoted ? 1 : 0);
    if (text_.all().compare(begin, node.scalar.size(), node.scalar) != 0) return;
    const std::size_t end = begin + node.scalar.size();
    if (quoted && (end >= text_.all().size() || text_.all()[end] != first)) return;
    const std::size_t line = text_.line_of(begin);
    node.text_line = static_cast<int>(line) + 1;
    node.text_indent = text_.display_column(line, text_.column_of(begin)) - 1;
  }

  // However the indentation was found or given, the first line that is not blank shows it.
  void locate_block(YamlNode& node, std::size_t at) const {
    const std::size_t header = text_.line_of(at);
    node.text_line = static_cast<int>(header) + 2;
    std::string_view rest = node.scalar;
    for (std::size_t line = header + 1; !rest.empty(); ++line) {
      const std::string_view content = rest.substr(0, rest.find('\n'));
      const auto kept = content.find_first_not_of(' ');
      if (kept != std::string_view::npos) {
        const auto in_file = text_.line(line).find_first_not_of(' ');
        if (in_file != std::string_view::npos && in_file >= kept) {
          node.text_indent = static_cast<int>(in_file - kept);
        }
        return;
      }
      rest.remove_prefix(std::min(content.size() + 1, rest.size()));
    }
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

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind, bool flow) {
    if (error) return;
    const std::size_t at = offset_of(mark);
    if (expects_key()) {
      return fail_at("a key must be a single word or text, found " +
                         std::string(kind == YamlNode::Kind::kMapping ? "a mapping" : "a list"),
                     at, "put text that begins with '{' or '[' in quotes");
    }
    if (tag != "?" && tag != "!" && tag != "" && tag != "tag:yaml.org,2002:map" &&
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
    if (error || stack_.empty()) return;
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

  void finish(YamlNode node, std::size_t at, YAML::anchor_t anchor) {
    if (++nodes_ > limits_.max_nodes) return fail_nodes(at);
    set_place(node, at);
    remember(anchor, node, 1, 0);
    attach(std::move(node), 1, 0);
  }

  void remember(YAML::anchor_t anchor, const YamlNode& node, std::size_t nodes,
                std::size_t height) {
    if (anchor == 0) return;
    // A copy, so it counts: anchors around anchors must not multiply the memory.
    remembered_ += nodes;
    if (remembered_ > limits_.max_nodes) {
      error =
          Error{Code::kConfig,
                "anchors (&name) hold more than " + std::to_string(limits_.max_nodes) + " values",
                {text_.place(0, 0).file, node.line, node.column}};
      return;
    }
    if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
    anchors_[anchor] = Anchored{node, nodes, height};
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
  std::vector<std::optional<Anchored>> anchors_;
  std::size_t nodes_ = 0;
  std::size_t remembered_ = 0;
  int documents_ = 0;
};

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
  Builder builder(text, limits);
  MemoryBuffer buffer(text.all());
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (!builder.error && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& problem) {
    if (!builder.error) {
      builder.state.message = problem.msg;
      builder.state.line = static_cast<std::size_t>(std::max(problem.mark.line, 0));
      builder.state.column = static_cast<std::size_t>(std::max(problem.mark.column, 0));
      builder.locate_open_flow();
      return yaml::explain(text, builder.state);
    }
  } catch (const std::exception& problem) {
    return Error{
        Code::kConfig, std::string("the file cannot be read as YAML: ") + problem.what(), {file}};
  }
  if (builder.error) return *std::move(builder.error);
  if (!builder.root) {
    YamlNode nothing;
    nothing.line = nothing.column = 1;
    return nothing;
  }
  return *std::move(builder.root);
}

}  // namespace mxcp
