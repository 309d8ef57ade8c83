// What a program does when a signal comes, and the one thread that receives its signals.
//
// A signal that interrupts any thread at any point may do next to nothing there. So the signals of
// a program are blocked in all of its threads, and one thread waits for them and then acts like any
// other thread: it may lock, log and unmount. What a signal means can change while a program starts:
//
//   SignalWatch signals({SIGINT, SIGTERM}, [](int) { end_at_once(ExitCode::kCancelled); });
//   ...
//   const SignalMeaning on_stop(signals, {SIGINT, SIGTERM}, [&] { session.stop(); });
#pragma once

#include <signal.h>

#include <condition_variable>
#include <functional>
#include <initializer_list>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "program/exit_codes.h"
#include "repo/base/guarded.h"

namespace restree {

// Some signals, at least one. Threads: any.
class SignalSet {
 public:
  SignalSet(std::initializer_list<int> signals) : signals_(signals) {}

  bool contains(int signal) const;
  // Both are for the calling thread, and for the threads and processes that it starts afterwards. A
  // blocked signal waits until a SignalWatch receives it or it is unblocked.
  void block() const;
  void unblock() const;

 private:
  friend class SignalWatch;
  sigset_t as_sigset() const;

  std::vector<int> signals_;
};

class SignalMeaning;

// Receives the signals of a set, and acts as the latest SignalMeaning for the signal says, or as
// `otherwise` says where there is none. One action runs at a time.
// Ownership: a thread. Every SignalMeaning must end before its watch.
// Threads:   one makes and ends it. It is made before any other thread starts: it blocks the signals
//            in the threads that start afterwards, and others would still be interrupted. Actions
//            run on the watching thread; an action must not begin or end a meaning, or end the watch.
class SignalWatch {
 public:
  SignalWatch(SignalSet signals, std::function<void(int signal)> otherwise);
  ~SignalWatch() { end(); }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Returns once no action is under way. Signals that come later stay blocked and mean nothing.
  void end();

  // For actions: what they act on.
  const siginfo_t& received() const { return received_; }

 private:
  friend class SignalMeaning;
  struct State {
    std::vector<const SignalMeaning*> meanings;  // the latest comes last
    const SignalMeaning* at_work = nullptr;      // whose action is under way
    bool is_acting = false;                      // an action is under way, of whichever meaning
  };
  void begin(const SignalMeaning& meaning);
  void finish(const SignalMeaning& meaning);
  void run(const std::stop_token& done);
  void act_on(int signal);

  siginfo_t received_{};  // only the thread below touches it
  const SignalSet signals_;
  const std::function<void(int signal)> otherwise_;
  Guarded<State> state_;
  std::condition_variable action_ended_;
  std::jthread thread_;  // last: it uses what is above
};

// What some signals mean for as long as this lives; then they mean again what they did before. It
// begins once no earlier action is under way: an action that undoes what there is and ends the
// process must not be overtaken by a stage that makes more.
// Ownership: the watch must outlive it. The destructor waits for its own action, if that is under
//            way, so whatever the action uses has to be there until then.
// Threads:   one.
class SignalMeaning {
 public:
  SignalMeaning(SignalWatch& watch, SignalSet signals, std::function<void()> action);
  ~SignalMeaning();
  SignalMeaning(const SignalMeaning&) = delete;
  SignalMeaning& operator=(const SignalMeaning&) = delete;

 private:
  friend class SignalWatch;

  SignalWatch& watch_;
  const SignalSet signals_;
  const std::function<void()> action_;
};

// Which signal came, and from which process: "SIGTERM from process 12 (systemd)".
std::string description_of(const siginfo_t& received);

// Ends the process where it stands. No destructor runs, but a lock on a repository is removed (see
// LastResort), and a terminal that is being asked for a password gets its echo back.
[[noreturn]] void end_at_once(ExitCode code);

}  // namespace restree
