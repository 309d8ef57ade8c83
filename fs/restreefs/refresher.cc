#include "fs/restreefs/refresher.h"

#include <utility>

#include "repo/base/log.h"

namespace restree {

Refresher::Refresher(Mount& mount, FuseSession& session, std::chrono::seconds interval,
                     Beside beside)
    : beside_(std::move(beside)),
      thread_([this, &mount, &session, interval](const std::stop_token& stop) {
        run(mount, session, interval, stop);
      }) {}

std::function<void()> Refresher::poke() const {
  return [bell = bell_] {
    *bell->poked.lock() = true;
    bell->rung.notify_all();
  };
}

void Refresher::run(Mount& mount, FuseSession& session, std::chrono::seconds interval,
                    const std::stop_token& stop) {
  bool told = false;
  if (beside_.after) beside_.after();
  while (!stop.stop_requested()) {
    {
      auto poked = bell_->poked.lock();
      bell_->rung.wait_for(poked.mutex_lock(), stop, interval, [&] { return *poked; });
      *poked = false;
    }
    if (stop.stop_requested()) return;
    if (beside_.before) beside_.before();
    const Result<Mount::Changes> changes = mount.refresh();
    if (changes) {
      if (std::exchange(told, false)) log::warning("the repository can be read again");
      session.invalidate(*changes);
      if (beside_.after) beside_.after();
    } else if (changes.error().kind() != ErrorKind::kUnavailable && !std::exchange(told, true)) {
      log::warning("cannot look for new snapshots: {}", changes.error().message());
    }
  }
}

}  // namespace restree
