// For Results that helpers of tests cannot do without: the value, or an exception.
#pragma once

#include <stdexcept>
#include <type_traits>
#include <utility>

#include "repo/base/result.h"

namespace restree::testing {

template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace restree::testing
