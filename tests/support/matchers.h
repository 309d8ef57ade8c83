// GoogleTest words for Result and bytes: ASSERT_OK, EXPECT_OK, FailsWith(kind), Holds(text).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree::testing {

// Both take any Result or Status and show its message when there should have been none.
#define ASSERT_OK(expr)                                                          \
  do {                                                                           \
    const auto& restree_result = (expr);                                         \
    ASSERT_TRUE(restree_result.has_value()) << restree_result.error().message(); \
  } while (false)
#define EXPECT_OK(expr)                                                          \
  do {                                                                           \
    const auto& restree_result = (expr);                                         \
    EXPECT_TRUE(restree_result.has_value()) << restree_result.error().message(); \
  } while (false)

// The value of a Result or of an optional. Without one the test fails and says why.
template <class T>
T value_of(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message();
    throw std::runtime_error(result.error().message());
  }
  return std::move(*result);
}
template <class T>
T value_of(std::optional<T> value) {
  if (!value) {
    ADD_FAILURE() << "there is no value";
    throw std::runtime_error("there is no value");
  }
  return std::move(*value);
}

MATCHER_P(FailsWith, kind, "fails with " + std::string(to_string(kind))) {
  if (arg.has_value()) {
    *result_listener << "but succeeds";
    return false;
  }
  *result_listener << "fails with " << to_string(arg.error().kind()) << ": "
                   << arg.error().message();
  return arg.error().kind() == kind;
}

// A Result<Bytes> that holds exactly `text`.
MATCHER_P(Holds, text, "holds the expected bytes") {
  if (!arg.has_value()) {
    *result_listener << "fails: " << arg.error().message();
    return false;
  }
  return as_text(arg->view()) == std::string_view(text);
}

}  // namespace restree::testing
