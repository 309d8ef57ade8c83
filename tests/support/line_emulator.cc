#include "tests/support/line_emulator.h"

#include <future>

#include "tests/support/line.h"

namespace restree::testing {

LineEmulator::LineEmulator(const LineOptions& options)
    : line_(std::make_unique<Line>(options)),
      thread_([line = line_.get()](const std::stop_token& stop) { line->run(stop); }) {}

LineEmulator::~LineEmulator() {
  thread_.request_stop();
  line_->wake();
}

void LineEmulator::on_thread(const std::function<void()>& task) const {
  std::promise<void> done;
  line_->submit([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

std::uint16_t LineEmulator::port() const { return line_->port(); }

LineCounts LineEmulator::counts() const {
  LineCounts counts;
  on_thread([&] { counts = line_->counts(); });
  return counts;
}

void LineEmulator::cut() {
  on_thread([&] { line_->cut(); });
}
void LineEmulator::stall(std::chrono::nanoseconds time) {
  on_thread([&] { line_->stall(time); });
}
void LineEmulator::refuse() {
  on_thread([&] { line_->refuse(); });
}
void LineEmulator::go_on() {
  on_thread([&] { line_->go_on(); });
}

}  // namespace restree::testing
