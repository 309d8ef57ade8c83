#include "repo/base/last_resort.h"

#include <gtest/gtest.h>

#include <new>
#include <system_error>
#include <thread>

#include "tests/support/forked.h"
#include "tests/support/shared_counter.h"

namespace restree {
namespace {

using testing::SharedCounter;

TEST(LastResort, UndoesWhatThereIsAndEndsTheProcess) {
  const SharedCounter undone;
  const int code = testing::exit_code_in_child([&] {
    undo_if_all_else_fails("test");
    const LastResort first([&] { *undone = *undone * 10 + 1; });
    {
      const LastResort over([&] { *undone = 999; });
    }
    const LastResort second([&] { *undone = *undone * 10 + 2; });
    std::thread([] { throw std::bad_alloc(); }).join();
    return 77;
  });
  EXPECT_EQ(code, 1);
  EXPECT_EQ(*undone, 21);
}

TEST(LastResort, WhatFailsInTurnDoesNotKeepTheRestFromBeingUndone) {
  const SharedCounter undone;
  const int code = testing::exit_code_in_child([&] {
    undo_if_all_else_fails("test");
    const LastResort first([&] { *undone = 1; });
    const LastResort second([] { throw std::bad_alloc(); });
    std::thread([] { throw std::bad_alloc(); }).join();
    return 77;
  });
  EXPECT_EQ(code, 1);
  EXPECT_EQ(*undone, 1);
}

TEST(ErrorOfAnException, SaysWhatTheSystemHasRefused) {
  const Error memory = error_of(std::bad_alloc());
  EXPECT_EQ(memory.kind(), ErrorKind::kLocalIo);
  EXPECT_NE(memory.message().find("memory"), std::string::npos);
  const Error threads =
      error_of(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)));
  EXPECT_NE(threads.message().find("threads"), std::string::npos);
  const Error filter =
      error_of(std::system_error(std::make_error_code(std::errc::operation_not_permitted)));
  EXPECT_NE(filter.message().find("thread"), std::string::npos);
}

}  // namespace
}  // namespace restree
