// The parser of conditions. Private to cel/: parser.cpp has the grammar,
// calls.cpp what names and calls mean.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/text.h"
#include "cel/functions.h"
#include "cel/lexer.h"
#include "cel/node.h"
#include "cel/program.h"

namespace mxcp::cel {

using TokenKind = Token::Kind;

// Parentheses, calls and other things within each other; and the height of the
// tree, which chains (a + b + c, a.b.c) make too. Evaluating recurses as deep.
inline constexpr int kMaxNesting = 64;
inline constexpr int kMaxDepth = 250;

struct Macro {
  std::string_view name;
  Op op;
  std::size_t min_arguments, max_arguments;
};

// What to say to a word of another language; mostly "".
std::string hint_for(std::string_view word);
// true, false, null and in.
bool is_keyword(std::string_view word);

inline std::string quoted(std::string_view word) {
  return "'" + shorten(word, 60) + "'";
}

// What the node certainly gives; kFault: it depends.
Datum::Kind certain_kind(const Node& node);

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
  // --- tokens and problems. The first problem stays; after it every rule
  // returns nullptr ---

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
    ((node->depth = std::max(node->depth, operands->depth + 1)), ...);
    (node->operands.push_back(std::move(operands)), ...);
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
    if (!take(node, std::move(operands)...)) return nullptr;
    return node;
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

  // --- the grammar, from the weakest operator (parser.cpp) ---

  NodePtr expression();
  // One node for a whole chain: a && b && c.
  NodePtr chain(std::string_view sign, Op op, NodePtr (Parser::*operand)());
  NodePtr disjunction() { return chain("||", Op::kOr, &Parser::conjunction); }
  NodePtr conjunction() { return chain("&&", Op::kAnd, &Parser::relation); }

  struct Operator {
    std::string_view sign;
    Op op;
  };
  // Operators of one rank: a - b - c is (a - b) - c.
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

  NodePtr relation();
  NodePtr addition();
  NodePtr multiplication();
  NodePtr unary();
  NodePtr member();
  NodePtr selection(NodePtr object);
  // google.protobuf.Timestamp and Duration, which type() gives.
  NodePtr type_of_google(const Node& object, const Token& name);
  NodePtr no_messages(std::size_t offset);
  NodePtr primary();
  NodePtr integer(const Token& token, bool minus);
  // The elements between brackets; `end` is behind the last.
  bool elements(std::string_view end, std::vector<NodePtr>& out);
  NodePtr list(std::size_t offset);
  NodePtr map(std::size_t offset);

  // --- names and calls (calls.cpp) ---

  // A variable, a type, a literal word, or a function that is called.
  NodePtr name(bool global);
  NodePtr unknown_name(const Token& token);
  NodePtr global_call(const Token& name);
  NodePtr member_call(NodePtr object, const Token& name);
  NodePtr unknown_function(const Token& name);
  NodePtr call(const Token& name, const Function& function, std::vector<NodePtr> arguments,
               bool member);
  // What can be told of texts that are written out: a pattern, a time, a zone.
  bool check_literals(Node& node);
  NodePtr has(const Token& name);
  static const Macro* find_macro(std::string_view name);
  // x.all(v, test): the first argument names the local of the others.
  NodePtr comprehension(NodePtr range, const Token& name, const Macro& macro);

  Lexer lexer_;
  const Names& names_;
  const bool condition_;
  Token token_;
  std::optional<Problem> problem_;
  std::vector<std::string> locals_;
  int nesting_ = 0;
  bool minus_ = false;  // belongs to the number that follows
};

}  // namespace mxcp::cel
