#include "engine/vector_writer.h"

#include <algorithm>

namespace mxcp::engine {

VectorWriter::VectorWriter(const Api& api, void* vector, const ColumnType& type)
    : api_(&api), vector_(static_cast<c::Vector>(vector)), type_(&type) {
  switch (type.id) {
    case TypeId::kStruct:
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        children_.emplace_back(api, api.struct_vector_get_child(vector_, i), type.children[i]);
      }
      break;
    case TypeId::kList:
      size_ = api.list_vector_get_size(vector_);
      children_.emplace_back(api, api.list_vector_get_child(vector_), type.children[0]);
      data_ = api.vector_get_data(vector_);
      break;
    case TypeId::kMap: {
      // A map is a list of structures of a key and a value.
      size_ = api.list_vector_get_size(vector_);
      const c::Vector entries = api.list_vector_get_child(vector_);
      for (std::size_t i = 0; i < 2; ++i) {
        children_.emplace_back(api, api.struct_vector_get_child(entries, i), type.children[i]);
      }
      data_ = api.vector_get_data(vector_);
      break;
    }
    default: data_ = api.vector_get_data(vector_); break;
  }
}

void VectorWriter::rebind() {
  validity_ = nullptr;
  if (type_->id == TypeId::kStruct) {
    for (VectorWriter& child : children_) child.rebind();
  } else {
    data_ = api_->vector_get_data(vector_);
  }
}

void VectorWriter::set_null(std::size_t row) {
  if (validity_ == nullptr) {
    api_->vector_ensure_validity_writable(vector_);
    validity_ = api_->vector_get_validity(vector_);
  }
  validity_[row / 64] &= ~(std::uint64_t{1} << (row % 64));
  if (type_->id == TypeId::kStruct) {
    for (VectorWriter& child : children_) child.set_null(row);
  } else if (type_->id == TypeId::kList || type_->id == TypeId::kMap) {
    set<c::ListEntry>(row, {size_, 0});
  }
}

void VectorWriter::set_text(std::size_t row, std::string_view text) {
  api_->vector_assign_string_element_len(vector_, row, text.data(), text.size());
}

std::size_t VectorWriter::begin_list(std::size_t row, std::size_t length) {
  const std::size_t first = size_;
  size_ += length;
  set<c::ListEntry>(row, {first, length});
  if (length == 0) return first;
  if (size_ > capacity_) {
    capacity_ = std::max<std::size_t>({size_, 2 * capacity_, 2048});
    api_->list_vector_reserve(vector_, capacity_);
    for (VectorWriter& child : children_) child.rebind();
  }
  api_->list_vector_set_size(vector_, size_);
  return first;
}

}  // namespace mxcp::engine
