// What policies do to results after they were checked, as far as a published schema has to know it:
// clients refuse structured content that breaks the schema they were shown.
#pragma once

#include <string>
#include <vector>

#include "types/shape.h"

namespace mxcp::types {

inline constexpr std::string_view kMask = "****";

struct ResultChanges {
  // Of the object, or of each object of the list.
  std::vector<std::string> removed;
  std::vector<std::string> masked;  // become kMask
  bool sensitive_removed = false;   // remove_sensitive() may be called

  bool any() const { return !removed.empty() || !masked.empty() || sensitive_removed; }
};

// output_schema(declared), but true also for what remove_fields() and the others leave.
Value output_schema(const Type& declared, const ResultChanges& changes);

// The same for a JSON Schema of the author's own. False: something in it (a $ref, an anyOf ...)
// says more about the fields than can be changed here, and results may break it.
bool allow_changes(Value& own_schema, const ResultChanges& changes);

// What is no object and no list of them has no fields and stays.
void remove_fields(Value& result, const std::vector<std::string>& fields);
void mask_fields(Value& result, const std::vector<std::string>& fields);

// Whether the type, or one inside it, is `sensitive`.
bool has_sensitive(const TypeSpec& spec);
// Removes members and items whose type is `sensitive`, at any depth; a result that is sensitive
// itself becomes null. So does what should have such members but is of another form.
void remove_sensitive(Value& result, const TypeSpec& spec);

}  // namespace mxcp::types
