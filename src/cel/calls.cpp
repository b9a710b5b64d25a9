// What names and calls mean, and what can be known of them without values.
#include <algorithm>

#include "base/error.h"
#include "cel/instants.h"
#include "cel/parser_impl.h"

namespace mxcp::cel {
namespace {

constexpr std::array<std::string_view, 17> kReserved = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",    "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while",
};
constexpr std::array<std::string_view, 10> kTypeNames = {
    "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint",
};
// Words of other languages.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kForeign = {{
    {"and", "write '&&'"},
    {"or", "write '||'"},
    {"not", "write '!'"},
    {"is", "write '=='"},
    {"True", "write 'true'"},
    {"False", "write 'false'"},
    {"None", "write 'null'"},
    {"nil", "write 'null'"},
    {"undefined", "write 'null'"},
}};

constexpr std::array<Macro, 5> kMacros = {{
    {"all", Op::kAll, 2, 2},
    {"exists", Op::kExists, 2, 2},
    {"exists_one", Op::kExistsOne, 2, 2},
    {"map", Op::kTransform, 2, 3},
    {"filter", Op::kFilter, 2, 2},
}};

std::string count_of(std::size_t count) {
  return count == 0 ? "no argument" : plural(count, "argument");
}

}  // namespace

std::string hint_for(std::string_view word) {
  for (const auto& [foreign, hint] : kForeign) {
    if (foreign == word) return std::string(hint);
  }
  return {};
}

bool is_keyword(std::string_view word) {
  return word == "true" || word == "false" || word == "null" || word == "in";
}

Datum::Kind certain_kind(const Node& node) {
  using Kind = Datum::Kind;
  switch (node.op) {
    case Op::kLiteral: return node.literal.kind();
    case Op::kList:
    case Op::kTransform:
    case Op::kFilter: return Kind::kList;
    case Op::kMap: return Kind::kMap;
    case Op::kCall: return node.function->gives;
    case Op::kVariable:
    case Op::kLocal:
    case Op::kSelect:
    case Op::kIndex:
    case Op::kConditional: return Kind::kFault;
    case Op::kNegate:
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kRemainder: {
      for (const auto& operand : node.operands) {
        const Kind kind = certain_kind(*operand);
        if (kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble ||
            kind == Kind::kString || kind == Kind::kList) {
          return kind;
        }
      }
      return Kind::kFault;
    }
    default: return Kind::kBool;
  }
}

NodePtr Parser::name(bool global) {
  const Token token = token_;
  if (token.kind != TokenKind::kName) return fail(token.offset, "a name is missing after '.'");
  const std::string_view word = token.spelling;
  advance();
  if (word == "true" || word == "false") return literal(token.offset, word == "true");
  if (word == "null") return literal(token.offset, Datum());
  if (word == "in") return fail(token.offset, "'in' stands where a value is expected");
  if (std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end()) {
    return fail(token.offset, quoted(word) + " is a reserved word of CEL",
                "a parameter of this name cannot be used in conditions");
  }
  if (accept("(")) return global_call(token);
  if (token_.is_sign("{")) return no_messages(token_.offset);
  if (!global) {
    const auto local = std::find(locals_.rbegin(), locals_.rend(), word);
    if (local != locals_.rend()) {
      NodePtr node = make(Op::kLocal, token.offset);
      if (node) node->index = static_cast<std::size_t>(locals_.rend() - local) - 1;
      return node;
    }
  }
  const auto& variables = names_.variables;
  const auto variable = std::find(variables.begin(), variables.end(), word);
  if (variable != variables.end()) {
    NodePtr node = make(Op::kVariable, token.offset);
    if (!node) return nullptr;
    node->index = static_cast<std::size_t>(variable - variables.begin());
    node->name = word;
    return node;
  }
  for (const std::string_view type : kTypeNames) {
    if (type == word) return literal(token.offset, TypeName{type});
  }
  if (word == "google" && token_.is_sign(".")) return literal(token.offset, TypeName{"google"});
  return unknown_name(token);
}

NodePtr Parser::unknown_name(const Token& token) {
  const std::string_view word = token.spelling;
  std::string hint = hint_for(word);
  for (const auto& [tried, advice] : names_.advice) {
    if (hint.empty() && tried == word) hint = advice;
  }
  if (hint.empty()) {
    std::vector<std::string> known(names_.variables);
    known.insert(known.end(), locals_.begin(), locals_.end());
    hint = suggest(word, known);
    if (hint.empty() && !known.empty()) hint = "known here: " + join(known, ", ");
  }
  return fail(token.offset, "unknown name " + quoted(word), std::move(hint));
}

NodePtr Parser::global_call(const Token& name) {
  if (name.spelling == "has") return has(name);
  const auto* const macro = find_macro(name.spelling);
  if (macro != nullptr) {
    return fail(name.offset, quoted(name.spelling) + " is called on a list or a map",
                "write x." + std::string(name.spelling) + "(...)");
  }
  const Function* const function = find_function(name.spelling);
  if (function == nullptr) return unknown_function(name);
  std::vector<NodePtr> arguments;
  if (!elements(")", arguments)) return nullptr;
  if (function->form == Form::kMember) {
    return fail(name.offset, quoted(name.spelling) + " is called on a value",
                "write x." + std::string(name.spelling) + "(...)");
  }
  return call(name, *function, std::move(arguments), false);
}

NodePtr Parser::member_call(NodePtr object, const Token& name) {
  if (const Macro* const macro = find_macro(name.spelling)) {
    return comprehension(std::move(object), name, *macro);
  }
  if (name.spelling == "has") {
    return fail(name.offset, "'has' is not called on a value", "write has(x.name)");
  }
  const Function* const function = find_function(name.spelling);
  if (function == nullptr) return unknown_function(name);
  std::vector<NodePtr> arguments;
  arguments.push_back(std::move(object));
  if (!elements(")", arguments)) return nullptr;
  if (function->form == Form::kGlobal) {
    return fail(name.offset, quoted(name.spelling) + " is not called on a value",
                "write " + std::string(name.spelling) + "(x)");
  }
  return call(name, *function, std::move(arguments), true);
}

NodePtr Parser::unknown_function(const Token& name) {
  if (name.spelling == "getDays") {
    return fail(name.offset, "unknown function 'getDays'",
                "a duration has getHours(); a day is duration('24h')");
  }
  std::vector<std::string_view> known = function_names();
  for (const Macro& macro : kMacros) known.push_back(macro.name);
  return fail(name.offset, "unknown function " + quoted(name.spelling),
              suggest(name.spelling, known));
}

NodePtr Parser::call(const Token& name, const Function& function, std::vector<NodePtr> arguments,
                     bool member) {
  const std::size_t receiver = member ? 1 : 0;
  if (arguments.size() < function.min_arguments || arguments.size() > function.max_arguments) {
    return fail(name.offset,
                quoted(name.spelling) + " takes " + count_of(function.min_arguments - receiver) +
                    (function.max_arguments > function.min_arguments ? " or one more" : "") +
                    ", found " + std::to_string(arguments.size() - receiver));
  }
  NodePtr node = make(Op::kCall, name.offset);
  for (NodePtr& argument : arguments) {
    if (!take(node, std::move(argument))) return nullptr;
  }
  node->name = name.spelling;
  node->function = &function;
  if (!check_literals(*node)) return nullptr;
  return node;
}

bool Parser::check_literals(Node& node) {
  const Node& last = *node.operands.back();
  const Text* const text = last.op == Op::kLiteral ? last.literal.as_text() : nullptr;
  if (text == nullptr) return true;
  if (node.name == "matches") {
    std::string why;
    node.pattern = compile_pattern(text->view, why);
    if (node.pattern == nullptr)
      fail(last.offset, "the pattern is not one of RE2: " + why,
           "a sign that stands for itself needs a backslash: r'\\('");
  } else if (node.name == "timestamp" && !parse_moment(text->view)) {
    fail(last.offset, quoted(text->view) + " is no timestamp",
         "for example timestamp('2026-01-31T12:00:00Z')");
  } else if (node.name == "duration" && !parse_span(text->view)) {
    fail(last.offset, quoted(text->view) + " is no duration", "for example duration('1h30m')");
  } else if (node.name.starts_with("get") && !parse_zone(text->view)) {
    fail(last.offset, quoted(text->view) + " is no time zone that conditions know",
         "'UTC' or an offset as '+02:00'");
  }
  return !problem_;
}

NodePtr Parser::has(const Token& name) {
  NodePtr inner = expression();
  if (!inner || !expect(")", "the argument of has()")) return nullptr;
  if (inner->op != Op::kSelect) {
    return fail(name.offset, "has() asks for a member: has(x.name)",
                inner->op == Op::kIndex ? "write 'key' in x" : "");
  }
  inner->op = Op::kHas;
  inner->offset = name.offset;
  return inner;
}

const Macro* Parser::find_macro(std::string_view name) {
  const auto* const found =
      std::find_if(kMacros.begin(), kMacros.end(), [&](const Macro& m) { return m.name == name; });
  return found == kMacros.end() ? nullptr : found;
}

NodePtr Parser::comprehension(NodePtr range, const Token& name, const Macro& macro) {
  const Token local = token_;
  const bool named = local.kind == TokenKind::kName && !is_keyword(local.spelling);
  if (named) advance();
  if (!named || !(token_.is_sign(",") || token_.is_sign(")"))) {
    return fail(local.offset,
                "the first argument of " + quoted(name.spelling) + " is a name for the element",
                "write x." + std::string(name.spelling) + "(element, ...)");
  }
  std::vector<NodePtr> arguments;
  locals_.emplace_back(local.spelling);
  bool read = true;
  if (accept(",")) {
    read = elements(")", arguments);
  } else {
    accept(")");
  }
  const std::size_t index = locals_.size() - 1;
  locals_.pop_back();
  if (!read || problem_) return nullptr;
  const std::size_t count = arguments.size() + 1;
  if (count < macro.min_arguments || count > macro.max_arguments) {
    return fail(name.offset, quoted(name.spelling) + " takes " + count_of(macro.min_arguments) +
                                 (macro.max_arguments > macro.min_arguments ? " or one more" : "") +
                                 ", found " + std::to_string(count));
  }
  if (macro.op != Op::kTransform || arguments.size() == 2) {
    arguments[0] = needs_bool(std::move(arguments[0]), "in " + quoted(name.spelling) + " stands");
    if (!arguments[0]) return nullptr;
  }
  NodePtr node = make(macro.op, name.offset, std::move(range));
  for (NodePtr& argument : arguments) {
    if (!take(node, std::move(argument))) return nullptr;
  }
  node->name = name.spelling;
  node->index = index;
  return node;
}

}  // namespace mxcp::cel
