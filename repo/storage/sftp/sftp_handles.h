// The files and folders that a server holds open for one connection.
//
// Servers hold only so many. One more is refused with a plain failure that does not say why; once
// another is closed, it may be opened. So what is open and not in use is given back, and an open
// that was refused waits until something was closed. If it then succeeds, that was the reason: from
// then on no more are opened than were open at once before.
//
// Threads: any. Limits: each wait ends by its deadline.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"

namespace restree {

class SftpHandles {
 public:
  static constexpr std::size_t kKeptFree = 8;

  // An open that is under way, and what it finds.
  struct Turn {
    std::size_t others;     // that are open, or are being opened
    std::uint64_t closed;   // how many were closed so far
    bool repeated = false;  // it was refused before
  };

  // `give_back` closes what is open and not in use. It is called under no lock, by any thread that
  // calls this object. Must be set before that.
  void on_shortage(std::function<void()> give_back) { give_back_ = std::move(give_back); }
  // What the server says that it holds.
  void set_most(std::size_t most);

  // Before a request to open something; nullopt: there is no room before `by`.
  std::optional<Turn> begin(Deadline by);
  // The same for what nobody needs yet: does not wait, and leaves kKeptFree to those who need them.
  std::optional<Turn> begin_ahead();
  // It was opened.
  void opened(const Turn& turn);
  // It was refused, for a reason that is known.
  void failed();
  // It was refused without a reason. True: something was closed since `turn` began, so that another
  // attempt is worth while. False: nothing else was open, or was closed before `by`.
  bool refused(const Turn& turn, Deadline by);
  // The request to close it is on its way.
  void closed();
  // For a caller that waits for no room: something was opened without begin().
  void opened_besides();
  // The same: closes what is open and not in use.
  void give_back() { give_back_(); }

  // Somebody waits until something is closed.
  bool is_short() const { return state_.lock()->waiting > 0; }

 private:
  struct State {
    std::size_t begun = 0;  // that are open, or are being opened
    std::size_t open = 0;
    std::size_t peak = 1;     // the most that were open at once
    bool is_limited = false;  // no more than `peak`
    std::uint64_t closed = 0;
    std::size_t waiting = 0;
  };
  // Calls take(state) once has_room(state); false: not by then.
  template <class HasRoom, class Take>
  bool wait_for_room(Deadline by, HasRoom has_room, Take take) EXCLUDES(state_);

  Guarded<State> state_;
  std::condition_variable moved_;
  std::function<void()> give_back_ = [] {};
};

}  // namespace restree
