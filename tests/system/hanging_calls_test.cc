#include "repo/system/hanging_calls.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/gate.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::Gate;

// nullopt: it hangs.
std::optional<int> ask(HangingCalls& calls, std::function<int()> call, Deadline by) {
  const auto begun = calls.begin<int>(std::move(call));
  if (!begun->is_done_by(by)) return std::nullopt;
  return begun->answer();
}

TEST(HangingCalls, GiveTheirAnswer) {
  HangingCalls calls(2);
  EXPECT_EQ(ask(
                calls, [] { return 5; }, Deadline::never()),
            5);
}

TEST(HangingCalls, AreLeftBehindAtTheDeadline) {
  const auto gate = std::make_shared<Gate>();
  HangingCalls calls(2);
  const auto hang = [gate] {
    gate->pass();
    return 1;
  };
  EXPECT_EQ(ask(calls, hang, Deadline::after(1ms)), std::nullopt);
  EXPECT_EQ(ask(
                calls, [] { return 2; }, Deadline::never()),
            2);
  gate->open();
}

TEST(HangingCalls, BeginNoMoreThanThereAreThreads) {
  const auto gate = std::make_shared<Gate>();
  HangingCalls calls(2);
  const auto hang = [gate] {
    gate->pass();
    return 1;
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask(calls, hang, Deadline::after(1ms)), std::nullopt);
  }
  gate->wait_for_arrivals(2);
  EXPECT_EQ(gate->arrived(), 2U);
  gate->open();
  // Threads that came back are there for others.
  EXPECT_EQ(ask(
                calls, [] { return 2; }, Deadline::never()),
            2);
}

TEST(HangingCalls, TheirOwnerEndsBesideThem) {
  const auto gate = std::make_shared<Gate>();
  const auto is_done = std::make_shared<Gate>();
  {
    HangingCalls calls(1);
    const auto hang = [gate, is_done] {
      gate->pass();
      is_done->pass();
      return 1;
    };
    EXPECT_EQ(ask(calls, hang, Deadline::after(1ms)), std::nullopt);
    gate->wait_for_arrivals(1);
  }
  is_done->open();
  gate->open();
  is_done->wait_for_arrivals(1);
}

TEST(HangingCalls, ManyAtOnceGetTheirOwnAnswers) {
  HangingCalls calls(4);
  std::vector<std::jthread> callers;
  for (int i = 0; i < 16; ++i) {
    callers.emplace_back([&, i] {
      for (int j = 0; j < 50; ++j) {
        EXPECT_EQ(ask(
                      calls, [i, j] { return i * 100 + j; }, Deadline::never()),
                  i * 100 + j);
      }
    });
  }
}

TEST(HangingCalls, AreLeftBehindWhenTheProgramIsAskedToStop) {
  const auto gate = std::make_shared<Gate>();
  HangingCalls calls(1);
  std::stop_source stop;
  const auto begun = calls.begin<int>([gate] {
    gate->pass();
    return 1;
  });
  stop.request_stop();
  EXPECT_FALSE(begun->is_done_by(Deadline::never(), stop.get_token()));
  gate->open();
  EXPECT_TRUE(begun->is_done_by(Deadline::never()));
  EXPECT_EQ(begun->answer(), 1);
}

TEST(HangingCalls, WhatACallThrowsReachesItsCaller) {
  HangingCalls calls(1);
  const auto refuse = []() -> int { throw std::bad_alloc(); };
  EXPECT_THROW(ask(calls, refuse, Deadline::never()), std::bad_alloc);
}

}  // namespace
}  // namespace restree
