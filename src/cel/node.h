// A compiled expression: names are resolved, macros expanded, calls checked. Private to cel/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cel/datum.h"

namespace re2 {
class RE2;
}

namespace mxcp::cel {

struct Function;

enum class Op {
  kLiteral,
  kVariable,  // of the caller, by `index`
  kLocal,     // of a macro, by `index` from the outermost
  kSelect,    // operands[0] . name
  kHas,       // has(operands[0] . name)
  kIndex,
  kList,
  kMap,  // keys and values in turn
  kNot,
  kNegate,
  kAnd,  // any number of operands
  kOr,
  kConditional,
  kEqual,
  kUnequal,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kRemainder,
  kCall,  // `function`, with the receiver as the first operand
  // Macros: operands[0] is the range, the others see the local `index`.
  kAll,
  kExists,
  kExistsOne,
  kTransform,  // map: [filter,] transformation
  kFilter,
};

struct Node {
  Node();
  ~Node();

  Op op = Op::kLiteral;
  std::size_t offset = 0;
  Datum literal;
  std::string name;
  std::size_t index = 0;
  const Function* function = nullptr;
  std::shared_ptr<const re2::RE2> pattern;  // of matches(), when it is written out
  std::vector<std::unique_ptr<Node>> operands;
  int depth = 1;
};
using NodePtr = std::unique_ptr<Node>;

}  // namespace mxcp::cel
