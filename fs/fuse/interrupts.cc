#include "fs/fuse/interrupts.h"

#include <signal.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>

namespace restree {

// The kernel turns a fatal signal into a pending SIGKILL of every thread of the process.
bool is_dying(pid_t process) {
  if (process <= 0) return false;
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  constexpr std::uint64_t kKilled = std::uint64_t{1} << (SIGKILL - 1);
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigPnd:") && !line.starts_with("ShdPnd:")) continue;
    const std::uint64_t pending = std::strtoull(line.c_str() + 7, nullptr, 16);
    if ((pending & kKilled) != 0) return true;
  }
  return false;
}

PendingRequest::PendingRequest(fuse_req_t request, Interrupts& interrupts)
    : interrupts_(interrupts), process_(fuse_req_ctx(request)->pid), request_(request) {}

fuse_req_t PendingRequest::take() {
  auto request = request_.lock();
  const fuse_req_t taken = std::exchange(*request, nullptr);
  // After this no on_interrupt is running or will run.
  if (taken != nullptr) fuse_req_interrupt_func(taken, nullptr, nullptr);
  return taken;
}

void PendingRequest::on_interrupt(fuse_req_t, void* self) {
  auto* const pending = static_cast<PendingRequest*>(self);
  pending->interrupts_.add(pending->shared_from_this());
}

Interrupts::Interrupts() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

std::shared_ptr<PendingRequest> Interrupts::watch(fuse_req_t request) {
  auto pending = std::make_shared<PendingRequest>(request, *this);
  fuse_req_interrupt_func(request, PendingRequest::on_interrupt, pending.get());
  return pending;
}

void Interrupts::add(std::shared_ptr<PendingRequest> interrupted) {
  interrupted_.lock()->push_back(std::move(interrupted));
  wake_.notify_one();
}

void Interrupts::run(const std::stop_token& stop) {
  for (;;) {
    std::shared_ptr<PendingRequest> pending;
    {
      auto interrupted = interrupted_.lock();
      const bool is_there =
          wake_.wait(interrupted.mutex_lock(), stop, [&] { return !interrupted->empty(); });
      if (!is_there) return;
      pending = std::move(interrupted->front());
      interrupted->pop_front();
    }
    if (!is_dying(pending->process_)) continue;
    if (const fuse_req_t request = pending->take()) fuse_reply_err(request, EINTR);
  }
}

}  // namespace restree
