#include "tools/restree/stop_on_signal.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <chrono>
#include <functional>
#include <future>
#include <semaphore>
#include <stop_token>
#include <string>
#include <thread>

#include "program/access.h"
#include "repo/base/last_resort.h"
#include "repo/base/unique_fd.h"
#include "repo/crypto/derivation.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/secret.h"
#include "tests/support/forked.h"
#include "tests/support/process.h"
#include "tests/support/shared_counter.h"
#include "tools/output/ticker.h"

namespace restree {
namespace {

using testing::exit_code_in_child;
using testing::exit_code_of_child;
using testing::holds_within;
using testing::SharedCounter;
using testing::signal_own_process;

// Lets a test wait for a request to stop.
class StopRequest {
 public:
  const std::stop_source& source() const { return source_; }
  void wait() { requested_.acquire(); }

 private:
  std::stop_source source_;
  std::binary_semaphore requested_{0};
  std::stop_callback<std::function<void()>> on_request_{source_.get_token(),
                                                        [this] { requested_.release(); }};
};

[[noreturn]] void wait_for_ever() {
  while (true) ::pause();
}

bool echoes(int terminal) {
  termios settings{};
  return ::tcgetattr(terminal, &settings) == 0 && (settings.c_lflag & ECHO) != 0;
}

TEST(StopOnSignal, TheFirstSignalRequestsAStop) {
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EQ(exit_code_in_child([&] {
                StopRequest stop;
                const StopOnSignal signals(stop.source());
                signal_own_process(signal);
                stop.wait();
                return 0;
              }),
              0);
  }
}

TEST(StopOnSignal, TheSecondSignalEndsTheProcess) {
  EXPECT_EQ(exit_code_in_child([]() -> int {
              StopRequest stop;
              const StopOnSignal signals(stop.source());
              signal_own_process(SIGINT);
              stop.wait();
              signal_own_process(SIGTERM);
              wait_for_ever();
            }),
            130);
}

TEST(StopOnSignal, AnyNumberOfSignalsLeavesAProcessWithALockTimeToEndInGoodOrder) {
  const SharedCounter removed;
  const int code = exit_code_in_child([&] {
    StopRequest stop;
    const StopOnSignal signals(stop.source());
    const LastResort lock([&] { *removed += 100; });
    signal_own_process(SIGINT);
    stop.wait();
    for (int i = 0; i < 1000; ++i) signal_own_process(i % 2 == 0 ? SIGTERM : SIGINT);
    *removed += 1;
    return 0;
  });
  EXPECT_EQ(*removed, 1);
  EXPECT_TRUE(code == 0 || code == 130) << code;
}

TEST(StopOnSignal, ALockIsRemovedWhereTheProcessDoesNotEndInGoodOrder) {
  const SharedCounter removed;
  EXPECT_EQ(exit_code_in_child([&]() -> int {
              StopRequest stop;
              const StopOnSignal signals(stop.source(), std::chrono::milliseconds(1));
              const LastResort lock([&] { *removed += 1; });
              signal_own_process(SIGINT);
              stop.wait();
              signal_own_process(SIGTERM);
              wait_for_ever();
            }),
            130);
  EXPECT_EQ(*removed, 1);
}

// Takes a minute or two.
void derive_a_costly_key() {
  const Secret password(std::string("password"));
  static_cast<void>(
      derive_key(password, password.view(), {.n = 1 << 15, .r = 8, .p = 1 << 10}).has_value());
}

TEST(StopOnSignal, TheFirstSignalEndsTheProcessWhileItsFirstKeyIsDerived) {
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EQ(exit_code_in_child([&]() -> int {
                StopRequest stop;
                const StopOnSignal signals(stop.source());
                const NothingButDerivation nothing_else;
                std::thread(derive_a_costly_key).detach();
                if (!holds_within(std::chrono::seconds(60), only_derives_a_key)) return 1;
                signal_own_process(signal);
                wait_for_ever();
              }),
              130);
  }
}

TEST(StopOnSignal, ALaterDerivationIsEndedInGoodOrder) {
  EXPECT_EQ(exit_code_in_child([&] {
              StopRequest stop;
              const StopOnSignal signals(stop.source());
              const DerivationUnderWay derivation;
              signal_own_process(SIGINT);
              stop.wait();
              return 0;
            }),
            0);
}

TEST(StopOnSignal, TheFirstSignalAfterAnotherRequestEndsTheProcess) {
  EXPECT_EQ(exit_code_in_child([]() -> int {
              std::stop_source stop;
              const StopOnSignal signals(stop);
              stop.request_stop();
              signal_own_process(SIGTERM);
              wait_for_ever();
            }),
            130);
}

TEST(StopOnSignal, AHangupAndABrokenPipeAreIgnored) {
  EXPECT_EQ(exit_code_in_child([] {
              std::stop_source stop;
              const StopOnSignal signals(stop);
              signal_own_process(SIGHUP);
              signal_own_process(SIGPIPE);
              return stop.stop_requested() ? 1 : 0;
            }),
            0);
}

TEST(StopOnSignal, Sigusr1ShowsTheProgress) {
  EXPECT_EQ(exit_code_in_child([] {
              const StopOnSignal signals{std::stop_source()};
              std::promise<void> ticked;
              const Ticker ticker(std::chrono::nanoseconds(0), [&] { ticked.set_value(); });
              signal_own_process(SIGUSR1);
              ticked.get_future().wait();
              return 0;
            }),
            0);
}

TEST(StopOnSignal, AtAPasswordPromptTheFirstSignalEndsTheProcessAndTheTerminalEchoesAgain) {
  // A second descriptor of the terminal: what was set for it is gone once nobody has it open.
  int master = -1;
  int slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  const UniqueFd near(master);
  const UniqueFd far(slave);
  ASSERT_TRUE(echoes(far.get()));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(testing::kLongestChildSeconds);
    if (::login_tty(slave) != 0) ::_exit(99);
    const StopOnSignal signals{std::stop_source()};
    static_cast<void>(secret_from_prompt("password"));
    ::_exit(0);
  }
  EXPECT_TRUE(holds_within(std::chrono::seconds(60), [&] { return !echoes(far.get()); }));
  ::kill(child, SIGINT);
  EXPECT_EQ(exit_code_of_child(child), 130);
  EXPECT_TRUE(echoes(far.get()));
}

}  // namespace
}  // namespace restree
