#include "repo/base/result.h"

#include <cerrno>
#include <memory>
#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;

TEST(Error, TakesTheCallersViewInFront) {
  const Error error =
      Error(ErrorKind::kUnavailable, "connection reset").with("read pack 77c1").with("load tree");
  EXPECT_EQ(error.message(), "load tree: read pack 77c1: connection reset");
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
}

TEST(Error, TellsPeopleWhatToDo) {
  EXPECT_EQ(Error(ErrorKind::kInvalid, "no").for_people(), "no");
  EXPECT_EQ(Error(ErrorKind::kInvalid, "no").hinting("Say yes.").for_people(), "no\n  Say yes.");
}

TEST(Error, OfASystemCallHasTheKindOfItsNumber) {
  EXPECT_EQ(errno_error(ENOENT, "open x").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(errno_error(EACCES, "open x").kind(), ErrorKind::kDenied);
  EXPECT_EQ(errno_error(EPERM, "open x").kind(), ErrorKind::kDenied);
  EXPECT_EQ(errno_error(EIO, "open x").kind(), ErrorKind::kLocalIo);
  EXPECT_EQ(errno_error(ENOENT, "open x").message(), "open x: No such file or directory");
}

Result<std::unique_ptr<int>> half(int number) {
  if (number % 2 != 0) return Error(ErrorKind::kInvalid, "odd");
  return std::make_unique<int>(number / 2);
}
Result<int> quarter(int number) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> once, half(number));
  RETURN_IF_ERROR(half(*once));
  return *once / 2;
}

TEST(ResultMacros, HandOnValuesAndTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_THAT(quarter(3), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(quarter(6), FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace restree
