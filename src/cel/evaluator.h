// Evaluates a compiled expression. Private to cel/.
#pragma once

#include <vector>

#include "cel/node.h"
#include "cel/program.h"

namespace mxcp::cel {

class Evaluator {
 public:
  Evaluator(Program::Values variables, std::uint64_t max_steps)
      : variables_(variables), budget_(max_steps) {}

  // A fault when there is no value, also when the budget ran out on the way.
  Datum run(const Node& root);

 private:
  Datum eval(const Node& node);
  Datum variable(const Node& node);
  // A value that was found in another; bytes and dates were made into texts for it.
  Datum counted(Datum value);
  Datum select(const Node& node);
  Datum index(const Node& node);
  Datum list(const Node& node);
  Datum map(const Node& node);
  Datum chain(const Node& node, bool decisive);
  Datum equality(const Node& node);
  Datum relation(const Node& node);
  Datum membership(const Node& node);
  Datum arithmetic(const Node& node);
  Datum negate(const Node& node);
  Datum call(const Node& node);
  Datum quantify(const Node& node, bool decisive);
  Datum exists_one(const Node& node);
  Datum transform(const Node& node);

  // The elements of a list or the keys of a map, one after the other as the local, until `body`
  // returns false. A fault when `range` is neither.
  template <class Body>
  Datum for_each(const Node& node, Body body);
  // Both operands; the second is not evaluated when the first is a fault.
  struct Pair {
    Datum values[2];
    const Datum* fault() const {
      for (const Datum& value : values) {
        if (value.is_fault()) return &value;
      }
      return nullptr;
    }
  };
  Pair both(const Node& node);

  Program::Values variables_;
  Budget budget_;
  std::vector<Datum> locals_;
};

}  // namespace mxcp::cel
