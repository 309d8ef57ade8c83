#include "program/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <semaphore>
#include <string>
#include <thread>

#include "tests/support/forked.h"

namespace restree {
namespace {

using testing::exit_code_in_child;
using testing::signal_own_process;

// Counts how often an action ran, and lets a test wait for that.
class Runs {
 public:
  void note() { ran_.release(); }
  void wait_for_one() { ran_.acquire(); }
  bool none_left() { return !ran_.try_acquire(); }

 private:
  std::counting_semaphore<> ran_{0};
};

void do_nothing(int /*signal*/) {}

// Whether the kernel has the first thread of this process wait for something.
bool first_thread_waits() {
  const std::string pid = std::to_string(::getpid());
  std::ifstream stat("/proc/self/task/" + pid + "/stat");
  std::string number;
  std::string name;
  char state = 0;
  stat >> number >> name >> state;
  return state == 'S';
}

TEST(Signals, WithoutAMeaningOfTheirOwnGoToTheActionOfTheWatch) {
  EXPECT_EQ(exit_code_in_child([] {
              std::atomic<int> received = 0;
              Runs runs;
              const SignalWatch watch({SIGINT, SIGTERM}, [&](int signal) {
                received = signal;
                runs.note();
              });
              signal_own_process(SIGTERM);
              runs.wait_for_one();
              if (received != SIGTERM) return 1;
              signal_own_process(SIGINT);
              runs.wait_for_one();
              return received == SIGINT ? 0 : 2;
            }),
            0);
}

TEST(Signals, ThatWereBlockedAndCameBeforeTheWatchAreNotLost) {
  EXPECT_EQ(exit_code_in_child([] {
              const SignalSet set{SIGTERM};
              set.block();
              signal_own_process(SIGTERM);
              Runs runs;
              const SignalWatch watch(set, [&](int) { runs.note(); });
              runs.wait_for_one();
              return 0;
            }),
            0);
}

TEST(Signals, MeanWhatTheLatestStageSays) {
  EXPECT_EQ(exit_code_in_child([] {
              Runs first;
              Runs second;
              SignalWatch watch({SIGINT, SIGTERM}, [](int) { end_at_once(ExitCode::kFailure); });
              const SignalMeaning before(watch, {SIGINT, SIGTERM}, [&] { first.note(); });
              {
                const SignalMeaning now(watch, {SIGTERM}, [&] { second.note(); });
                signal_own_process(SIGTERM);
                second.wait_for_one();
                signal_own_process(SIGINT);  // of which the later stage says nothing
                first.wait_for_one();
              }
              signal_own_process(SIGTERM);
              first.wait_for_one();
              return first.none_left() && second.none_left() ? 0 : 1;
            }),
            0);
}

TEST(Signals, AMeaningEndsOnlyOnceItsActionHasReturned) {
  EXPECT_EQ(exit_code_in_child([] {
              std::atomic<bool> begun = false;
              std::atomic<bool> returns = false;
              SignalWatch watch({SIGTERM}, do_nothing);
              {
                const SignalMeaning meaning(watch, {SIGTERM}, [&] {
                  begun = true;
                  // The first thread only spins until here; then it waits for the meaning's end.
                  while (!first_thread_waits()) std::this_thread::yield();
                  returns = true;
                });
                signal_own_process(SIGTERM);
                while (!begun) std::this_thread::yield();
              }
              return returns ? 0 : 1;
            }),
            0);
}

TEST(Signals, AMeaningBeginsOnlyOnceAnEarlierActionHasReturned) {
  EXPECT_EQ(exit_code_in_child([] {
              std::atomic<bool> begun = false;
              std::atomic<bool> returns = false;
              SignalWatch watch({SIGTERM}, [&](int) {
                begun = true;
                while (!first_thread_waits()) std::this_thread::yield();
                returns = true;
              });
              signal_own_process(SIGTERM);
              while (!begun) std::this_thread::yield();
              const SignalMeaning next(watch, {SIGTERM}, [] {});
              return returns ? 0 : 1;
            }),
            0);
}

TEST(Signals, TheEndOfAMeaningWaitsForNoOtherAction) {
  EXPECT_EQ(exit_code_in_child([] {
              Runs runs;
              std::binary_semaphore go_on{0};
              SignalWatch watch({SIGHUP, SIGTERM}, do_nothing);
              const SignalMeaning stop(watch, {SIGTERM}, [&] {
                runs.note();
                go_on.acquire();
                runs.note();
              });
              {
                const SignalMeaning refresh(watch, {SIGHUP}, [] {});
                signal_own_process(SIGTERM);
                runs.wait_for_one();
              }  // the other action is under way meanwhile
              go_on.release();
              runs.wait_for_one();
              return 0;
            }),
            0);
}

TEST(Signals, MeanNothingOnceTheWatchHasEnded) {
  EXPECT_EQ(exit_code_in_child([] {
              Runs runs;
              SignalWatch watch({SIGINT, SIGTERM}, [&](int) { runs.note(); });
              const SignalMeaning meaning(watch, {SIGTERM}, [&] { runs.note(); });
              watch.end();
              watch.end();  // again: nothing
              signal_own_process(SIGTERM);
              signal_own_process(SIGINT);
              return runs.none_left() ? 0 : 1;
            }),
            0);
}

TEST(Signals, EndingAWatchIsNoSignalToItsActions) {
  EXPECT_EQ(exit_code_in_child([] {
              Runs runs;
              for (int i = 0; i < 100; ++i) {
                SignalWatch watch({SIGTERM}, [&](int) { runs.note(); });
                const SignalMeaning meaning(watch, {SIGTERM}, [&] { runs.note(); });
                watch.end();
              }
              return runs.none_left() ? 0 : 1;
            }),
            0);
}

TEST(Signals, AnActionMayEndTheProcessWhereItStands) {
  EXPECT_EQ(exit_code_in_child([]() -> int {
              const SignalWatch watch({SIGTERM}, [](int) { end_at_once(ExitCode::kCancelled); });
              signal_own_process(SIGTERM);
              while (true) ::pause();
            }),
            130);
}

TEST(Signals, AreDescribedWithTheProcessThatSentThem) {
  EXPECT_EQ(exit_code_in_child([] {
              std::promise<std::string> described;
              SignalWatch watch(
                  {SIGTERM}, [&](int) { described.set_value(description_of(watch.received())); });
              signal_own_process(SIGTERM);
              const std::string own = "SIGTERM from process " + std::to_string(::getpid()) + " (";
              return described.get_future().get().starts_with(own) ? 0 : 1;
            }),
            0);
  siginfo_t by_kernel{};
  by_kernel.si_signo = SIGINT;
  by_kernel.si_code = SI_KERNEL;
  EXPECT_EQ(description_of(by_kernel), "SIGINT");
}

TEST(Signals, UnblockedEndTheProcessAgain) {
  EXPECT_EQ(exit_code_in_child([] {
              const SignalSet set{SIGTERM};
              set.block();
              signal_own_process(SIGTERM);
              set.unblock();
              return 0;
            }),
            128 + SIGTERM);
}

}  // namespace
}  // namespace restree
