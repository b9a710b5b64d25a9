#include "cel/parser.h"

#include <algorithm>
#include <limits>

#include "cel/parser_impl.h"

namespace mxcp::cel {

NodePtr Parser::expression() {
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

NodePtr Parser::chain(std::string_view sign, Op op, NodePtr (Parser::*operand)()) {
  NodePtr first = (this->*operand)();
  if (!first || !token_.is_sign(sign)) return first;
  const std::string what = "beside '" + std::string(sign) + "' stands";
  NodePtr node = make(op, token_.offset);
  if (!take(node, needs_bool(std::move(first), what))) return nullptr;
  while (accept(sign)) {
    NodePtr next = (this->*operand)();
    if (!take(node, needs_bool(std::move(next), what))) return nullptr;
  }
  if (problem_) return nullptr;
  return node;
}

NodePtr Parser::relation() {
  static constexpr std::array<Operator, 7> kOperators = {{{"==", Op::kEqual},
                                                          {"!=", Op::kUnequal},
                                                          {"<=", Op::kLessEqual},
                                                          {">=", Op::kGreaterEqual},
                                                          {"<", Op::kLess},
                                                          {">", Op::kGreater},
                                                          {"in", Op::kIn}}};
  return left_to_right(kOperators, &Parser::addition);
}

NodePtr Parser::addition() {
  static constexpr std::array<Operator, 2> kOperators = {{{"+", Op::kAdd}, {"-", Op::kSubtract}}};
  return left_to_right(kOperators, &Parser::multiplication);
}

NodePtr Parser::multiplication() {
  static constexpr std::array<Operator, 3> kOperators = {
      {{"*", Op::kMultiply}, {"/", Op::kDivide}, {"%", Op::kRemainder}}};
  return left_to_right(kOperators, &Parser::unary);
}

NodePtr Parser::unary() {
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
    // The least integer has no positive counterpart: the sign is part of the
    // literal.
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

NodePtr Parser::member() {
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
  if (problem_) return nullptr;
  return node;
}

NodePtr Parser::selection(NodePtr object) {
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

NodePtr Parser::type_of_google(const Node& object, const Token& name) {
  if (object.op != Op::kLiteral || !object.literal.as_type()) return nullptr;
  const std::string_view so_far = object.literal.as_type()->name;
  const auto answer = [&](std::string_view full) { return literal(object.offset, TypeName{full}); };
  if (so_far == "google" && name.spelling == "protobuf") return answer("google.protobuf");
  if (so_far != "google.protobuf") return nullptr;
  if (name.spelling == "Timestamp") return answer(type_name(Datum::Kind::kTimestamp));
  if (name.spelling == "Duration") return answer(type_name(Datum::Kind::kDuration));
  return fail(name.offset, "unknown type " + quoted(name.spelling));
}

NodePtr Parser::no_messages(std::size_t offset) {
  return fail(offset, "conditions make no messages", "a map is {'key': value}");
}

NodePtr Parser::primary() {
  const Token token = token_;
  const bool minus = std::exchange(minus_, false);
  switch (token.kind) {
    case TokenKind::kEnd: return fail(token.offset, "the condition ends where a value is expected");
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
    if (!inner || !expect(")", "the expression")) return nullptr;
    return inner;
  }
  if (accept("[")) return list(token.offset);
  if (accept("{")) return map(token.offset);
  if (accept(".")) return name(true);
  return fail(token.offset, quoted(token.spelling) + " stands where a value is expected");
}

NodePtr Parser::integer(const Token& token, bool minus) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (token.integer > kMax + (minus ? 1 : 0)) {
    return fail(token.offset, "the number " + std::string(token.spelling) + " is out of range",
                "an int has 64 bits; a uint ends with 'u'");
  }
  const std::uint64_t bits = minus ? 0 - token.integer : token.integer;
  return literal(token.offset, static_cast<std::int64_t>(bits));
}

bool Parser::elements(std::string_view end, std::vector<NodePtr>& out) {
  while (!token_.is_sign(end)) {
    NodePtr element = expression();
    if (!element) return false;
    out.push_back(std::move(element));
    if (!token_.is_sign(",")) break;
    accept(",");
  }
  return expect(end, "the last element");
}

NodePtr Parser::list(std::size_t offset) {
  NodePtr node = make(Op::kList, offset);
  std::vector<NodePtr> items;
  if (!elements("]", items)) return nullptr;
  for (NodePtr& item : items) {
    if (!take(node, std::move(item))) return nullptr;
  }
  return node;
}

NodePtr Parser::map(std::size_t offset) {
  NodePtr node = make(Op::kMap, offset);
  while (node && !token_.is_sign("}")) {
    NodePtr key = expression();
    if (!key || !expect(":", "the key")) return nullptr;
    NodePtr value = expression();
    if (!take(node, std::move(key), std::move(value))) return nullptr;
    if (!token_.is_sign(",")) break;
    accept(",");
  }
  if (!expect("}", "the last value")) return nullptr;
  return node;
}

Node::Node() = default;
Node::~Node() = default;

std::variant<NodePtr, Problem> parse(std::string_view text, const Names& names, bool condition) {
  return Parser(text, names, condition).parse();
}

}  // namespace mxcp::cel
