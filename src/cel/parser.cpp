#include "cel/parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "cel/functions.h"
#include "cel/instants.h"
#include "cel/lexer.h"

namespace mxcp::cel {
namespace {

using TokenKind = Token::Kind;

// Parentheses, calls and other things within each other; and the height of the tree, which chains
// (a + b + c, a.b.c) make too. Evaluating recurses as deep.
constexpr int kMaxNesting = 64;
constexpr int kMaxDepth = 250;

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

struct Macro {
  std::string_view name;
  Op op;
  std::size_t min_arguments, max_arguments;
};
constexpr std::array<Macro, 5> kMacros = {{
    {"all", Op::kAll, 2, 2},
    {"exists", Op::kExists, 2, 2},
    {"exists_one", Op::kExistsOne, 2, 2},
    {"map", Op::kTransform, 2, 3},
    {"filter", Op::kFilter, 2, 2},
}};

std::string hint_for(std::string_view word) {
  for (const auto& [foreign, hint] : kForeign) {
    if (foreign == word) return std::string(hint);
  }
  return {};
}

std::string quoted(std::string_view word) {
  return "'" + shorten(word, 60) + "'";
}

std::string count_of(std::size_t count) {
  return count == 0 ? "no argument" : plural(count, "argument");
}

// What the node certainly gives; kFault: it depends.
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

class Parser {
 public:
  Parser(std::string_view text, const Names& names, bool condition)
      : lexer_(text), names_(names), condition_(condition) {}

  std::variant<NodePtr, Problem> parse() {
    advance();
    NodePtr root = expression();
    if (root && token_.kind != TokenKind::kEnd) {
      const std::string hint = hint_for(token_.spelling);
      fail(token_.offset, quoted(token_.spelling) + " does not belong here",
           hint.empty() && token_.kind == TokenKind::kName ? "an operator is missing before it"
                                                           : hint);
    }
    if (root && condition_) root = needs_bool(std::move(root), "the condition gives");
    if (problem_) return *std::move(problem_);
    return root;
  }

 private:
  // --- tokens and problems. The first problem stays; after it every rule returns nullptr ---

  void advance() {
    auto next = lexer_.next();
    if (auto* token = std::get_if<Token>(&next)) {
      token_ = std::move(*token);
    } else {
      token_ = Token();
      const Problem& problem = std::get<Problem>(next);
      fail(problem.offset, problem.message, problem.hint);
    }
  }

  NodePtr fail(std::size_t offset, std::string message, std::string hint = {}) {
    if (!problem_) problem_ = Problem{offset, std::move(message), std::move(hint)};
    return nullptr;
  }

  bool accept(std::string_view sign) {
    if (!token_.is_sign(sign)) return false;
    advance();
    return !problem_;
  }

  bool expect(std::string_view sign, std::string_view after) {
    if (token_.is_sign(sign)) return accept(sign);
    if (token_.kind == TokenKind::kEnd) {
      fail(token_.offset, quoted(sign) + " is missing after " + std::string(after));
    } else {
      fail(token_.offset, quoted(sign) + " is missing before " + quoted(token_.spelling),
           hint_for(token_.spelling));
    }
    return false;
  }

  // --- nodes ---

  NodePtr make(Op op, std::size_t offset) {
    if (problem_) return nullptr;
    auto node = std::make_unique<Node>();
    node->op = op;
    node->offset = offset;
    return node;
  }

  // False when one of them could not be read, or the tree became too high.
  template <class... Operands>
  bool take(NodePtr& node, Operands... operands) {
    if (problem_ || !node || !(operands && ...)) return false;
    (node->operands.push_back(std::move(operands)), ...);
    for (const auto& operand : node->operands) {
      node->depth = std::max(node->depth, operand->depth + 1);
    }
    if (node->depth > kMaxDepth) {
      fail(node->offset, "the condition is too deep: more than " + std::to_string(kMaxDepth) +
                             " operations build on each other");
      return false;
    }
    return true;
  }

  template <class... Operands>
  NodePtr make(Op op, std::size_t offset, Operands... operands) {
    NodePtr node = make(op, offset);
    return take(node, std::move(operands)...) ? std::move(node) : nullptr;
  }

  NodePtr literal(std::size_t offset, Datum value) {
    NodePtr node = make(Op::kLiteral, offset);
    if (node) node->literal = std::move(value);
    return node;
  }

  NodePtr needs_bool(NodePtr node, std::string_view what) {
    if (!node || !condition_) return node;
    const Datum::Kind kind = certain_kind(*node);
    if (kind == Datum::Kind::kBool || kind == Datum::Kind::kFault) return node;
    return fail(node->offset,
                std::string(what) + " " + std::string(phrase(kind)) + ", not true or false");
  }

  // --- the grammar, from the weakest operator ---

  NodePtr expression() {
    struct Nested {
      int& depth;
      ~Nested() { --depth; }
    } nested{nesting_};
    if (++nesting_ > kMaxNesting) {
      return fail(token_.offset, "the condition is nested too deeply: more than " +
                                     std::to_string(kMaxNesting) + " levels");
    }
    NodePtr test = disjunction();
    if (!test || !token_.is_sign("?")) return test;
    const std::size_t offset = token_.offset;
    test = needs_bool(std::move(test), "before '?' stands");
    accept("?");
    NodePtr yes = test ? disjunction() : nullptr;
    if (!yes || !expect(":", "the first value of '? :'")) return nullptr;
    NodePtr no = expression();
    return make(Op::kConditional, offset, std::move(test), std::move(yes), std::move(no));
  }

  // One node for a whole chain: a && b && c.
  NodePtr chain(std::string_view sign, Op op, NodePtr (Parser::*operand)()) {
    NodePtr first = (this->*operand)();
    if (!first || !token_.is_sign(sign)) return first;
    const std::string what = "beside '" + std::string(sign) + "' stands";
    NodePtr node = make(op, token_.offset);
    if (!take(node, needs_bool(std::move(first), what))) return nullptr;
    while (accept(sign)) {
      NodePtr next = (this->*operand)();
      if (!take(node, needs_bool(std::move(next), what))) return nullptr;
    }
    return problem_ ? nullptr : std::move(node);
  }

  NodePtr disjunction() { return chain("||", Op::kOr, &Parser::conjunction); }
  NodePtr conjunction() { return chain("&&", Op::kAnd, &Parser::relation); }

  struct Operator {
    std::string_view sign;
    Op op;
  };

  template <std::size_t count>
  NodePtr left_to_right(const std::array<Operator, count>& operators,
                        NodePtr (Parser::*operand)()) {
    NodePtr left = (this->*operand)();
    while (left) {
      const auto* const found =
          std::find_if(operators.begin(), operators.end(), [&](const Operator& candidate) {
            return token_.is_sign(candidate.sign) ||
                   (candidate.op == Op::kIn && token_.is_word("in"));
          });
      if (found == operators.end()) return left;
      const std::size_t offset = token_.offset;
      advance();
      NodePtr right = (this->*operand)();
      left = make(found->op, offset, std::move(left), std::move(right));
      if (left) left->name = found->sign;
    }
    return nullptr;
  }

  NodePtr relation() {
    static constexpr std::array<Operator, 7> kOperators = {{{"==", Op::kEqual},
                                                            {"!=", Op::kUnequal},
                                                            {"<=", Op::kLessEqual},
                                                            {">=", Op::kGreaterEqual},
                                                            {"<", Op::kLess},
                                                            {">", Op::kGreater},
                                                            {"in", Op::kIn}}};
    return left_to_right(kOperators, &Parser::addition);
  }
  NodePtr addition() {
    static constexpr std::array<Operator, 2> kOperators = {{{"+", Op::kAdd}, {"-", Op::kSubtract}}};
    return left_to_right(kOperators, &Parser::multiplication);
  }
  NodePtr multiplication() {
    static constexpr std::array<Operator, 3> kOperators = {
        {{"*", Op::kMultiply}, {"/", Op::kDivide}, {"%", Op::kRemainder}}};
    return left_to_right(kOperators, &Parser::unary);
  }

  NodePtr unary() {
    const bool negates = token_.is_sign("-");
    if (!negates && !token_.is_sign("!")) return member();
    const std::string_view sign = negates ? "-" : "!";
    std::vector<std::size_t> offsets;
    while (token_.is_sign(sign)) {
      offsets.push_back(token_.offset);
      advance();
    }
    if (offsets.size() > static_cast<std::size_t>(kMaxNesting)) {
      return fail(offsets.front(), "more than " + std::to_string(kMaxNesting) + " signs in a row");
    }
    NodePtr node;
    if (negates && (token_.kind == TokenKind::kInt || token_.kind == TokenKind::kDouble)) {
      // The least integer has no positive counterpart: the sign is part of the literal.
      minus_ = true;
      offsets.pop_back();
    }
    node = member();
    for (auto offset = offsets.rbegin(); node && offset != offsets.rend(); ++offset) {
      if (!negates) node = needs_bool(std::move(node), "behind '!' stands");
      node = make(negates ? Op::kNegate : Op::kNot, *offset, std::move(node));
    }
    return node;
  }

  NodePtr member() {
    NodePtr node = primary();
    while (node && !problem_) {
      const std::size_t offset = token_.offset;
      if (accept(".")) {
        node = selection(std::move(node));
      } else if (accept("[")) {
        NodePtr key = expression();
        if (!key || !expect("]", "the key")) return nullptr;
        node = make(Op::kIndex, offset, std::move(node), std::move(key));
      } else {
        break;
      }
    }
    return problem_ ? nullptr : std::move(node);
  }

  NodePtr selection(NodePtr object) {
    const Token name = token_;
    if (name.kind != TokenKind::kName || is_keyword(name.spelling)) {
      return fail(name.offset, "a name is missing after '.'",
                  "a key that is no name stands in brackets: x['key']");
    }
    advance();
    if (accept("(")) return member_call(std::move(object), name);
    if (token_.is_sign("{")) return no_messages(token_.offset);
    if (NodePtr type = type_of_google(*object, name)) return type;
    NodePtr node = make(Op::kSelect, name.offset, std::move(object));
    if (node) node->name = name.spelling;
    return node;
  }

  // google.protobuf.Timestamp and Duration, which type() gives.
  NodePtr type_of_google(const Node& object, const Token& name) {
    if (object.op != Op::kLiteral || !object.literal.as_type()) return nullptr;
    const std::string_view so_far = object.literal.as_type()->name;
    const auto answer = [&](std::string_view full) {
      return literal(object.offset, TypeName{full});
    };
    if (so_far == "google" && name.spelling == "protobuf") return answer("google.protobuf");
    if (so_far != "google.protobuf") return nullptr;
    if (name.spelling == "Timestamp") return answer(type_name(Datum::Kind::kTimestamp));
    if (name.spelling == "Duration") return answer(type_name(Datum::Kind::kDuration));
    return fail(name.offset, "unknown type " + quoted(name.spelling));
  }

  NodePtr no_messages(std::size_t offset) {
    return fail(offset, "conditions make no messages", "a map is {'key': value}");
  }

  NodePtr primary() {
    const Token token = token_;
    const bool minus = std::exchange(minus_, false);
    switch (token.kind) {
      case TokenKind::kEnd:
        return fail(token.offset, "the condition ends where a value is expected");
      case TokenKind::kInt: advance(); return integer(token, minus);
      case TokenKind::kUint: advance(); return literal(token.offset, token.integer);
      case TokenKind::kDouble:
        advance();
        return literal(token.offset, minus ? -token.number : token.number);
      case TokenKind::kString: advance(); return literal(token.offset, Datum::text(token.text));
      case TokenKind::kBytes: advance(); return literal(token.offset, Datum::bytes(token.text));
      case TokenKind::kName: return name(false);
      case TokenKind::kSign: break;
    }
    if (accept("(")) {
      NodePtr inner = expression();
      return inner && expect(")", "the expression") ? std::move(inner) : nullptr;
    }
    if (accept("[")) return list(token.offset);
    if (accept("{")) return map(token.offset);
    if (accept(".")) return name(true);
    return fail(token.offset, quoted(token.spelling) + " stands where a value is expected");
  }

  NodePtr integer(const Token& token, bool minus) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (token.integer > kMax + (minus ? 1 : 0)) {
      return fail(token.offset, "the number " + std::string(token.spelling) + " is out of range",
                  "an int has 64 bits; a uint ends with 'u'");
    }
    const std::uint64_t bits = minus ? 0 - token.integer : token.integer;
    return literal(token.offset, static_cast<std::int64_t>(bits));
  }

  // The elements between brackets; `end` is behind the last.
  bool elements(std::string_view end, std::vector<NodePtr>& out) {
    while (!token_.is_sign(end)) {
      NodePtr element = expression();
      if (!element) return false;
      out.push_back(std::move(element));
      if (!token_.is_sign(",")) break;
      accept(",");
    }
    return expect(end, "the last element");
  }

  NodePtr list(std::size_t offset) {
    NodePtr node = make(Op::kList, offset);
    std::vector<NodePtr> items;
    if (!elements("]", items)) return nullptr;
    for (NodePtr& item : items) {
      if (!take(node, std::move(item))) return nullptr;
    }
    return node;
  }

  NodePtr map(std::size_t offset) {
    NodePtr node = make(Op::kMap, offset);
    while (node && !token_.is_sign("}")) {
      NodePtr key = expression();
      if (!key || !expect(":", "the key")) return nullptr;
      NodePtr value = expression();
      if (!take(node, std::move(key), std::move(value))) return nullptr;
      if (!token_.is_sign(",")) break;
      accept(",");
    }
    return expect("}", "the last value") ? std::move(node) : nullptr;
  }

  static bool is_keyword(std::string_view word) {
    return word == "true" || word == "false" || word == "null" || word == "in";
  }

  // A variable, a type, a literal word, or a function that is called.
  NodePtr name(bool global) {
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

  NodePtr unknown_name(const Token& token) {
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

  // --- calls ---

  NodePtr global_call(const Token& name) {
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

  NodePtr member_call(NodePtr object, const Token& name) {
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

  NodePtr unknown_function(const Token& name) {
    if (name.spelling == "getDays") {
      return fail(name.offset, "unknown function 'getDays'",
                  "a duration has getHours(); a day is duration('24h')");
    }
    std::vector<std::string_view> known = function_names();
    for (const Macro& macro : kMacros) known.push_back(macro.name);
    return fail(name.offset, "unknown function " + quoted(name.spelling),
                suggest(name.spelling, known));
  }

  NodePtr call(const Token& name, const Function& function, std::vector<NodePtr> arguments,
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
    return check_literals(std::move(node)) ? std::move(node) : nullptr;
  }

  // What can be told of texts that are written out: a pattern, a time, a zone.
  bool check_literals(const NodePtr& node) {
    const Node& last = *node->operands.back();
    const Text* const text = last.op == Op::kLiteral ? last.literal.as_text() : nullptr;
    if (text == nullptr) return true;
    if (node->name == "matches") {
      std::string why;
      node->pattern = compile_pattern(text->view, why);
      if (node->pattern == nullptr) fail(last.offset, "the pattern is not one of RE2: " + why);
    } else if (node->name == "timestamp" && !parse_moment(text->view)) {
      fail(last.offset, quoted(text->view) + " is no timestamp",
           "for example timestamp('2026-01-31T12:00:00Z')");
    } else if (node->name == "duration" && !parse_span(text->view)) {
      fail(last.offset, quoted(text->view) + " is no duration", "for example duration('1h30m')");
    } else if (node->name.starts_with("get") && !parse_zone(text->view)) {
      fail(last.offset, quoted(text->view) + " is no time zone that conditions know",
           "'UTC' or an offset as '+02:00'");
    }
    return !problem_;
  }

  NodePtr has(const Token& name) {
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

  static const Macro* find_macro(std::string_view name) {
    const auto* const found = std::find_if(kMacros.begin(), kMacros.end(),
                                           [&](const Macro& m) { return m.name == name; });
    return found == kMacros.end() ? nullptr : found;
  }

  // x.all(v, test): the first argument names the local of the others.
  NodePtr comprehension(NodePtr range, const Token& name, const Macro& macro) {
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
      return fail(name.offset,
                  quoted(name.spelling) + " takes " + count_of(macro.min_arguments) +
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

  Lexer lexer_;
  const Names& names_;
  const bool condition_;
  Token token_;
  std::optional<Problem> problem_;
  std::vector<std::string> locals_;
  int nesting_ = 0;
  bool minus_ = false;  // belongs to the number that follows
};

}  // namespace

Node::Node() = default;
Node::~Node() = default;

std::variant<NodePtr, Problem> parse(std::string_view text, const Names& names, bool condition) {
  return Parser(text, names, condition).parse();
}

}  // namespace mxcp::cel
