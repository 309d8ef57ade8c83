#include "repo/storage/limited_storage.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace restree {
namespace {

class LimitedStorage final : public Storage {
 public:
  LimitedStorage(std::shared_ptr<Storage> inner, RateLimits limits, std::stop_token stop)
      : inner_(std::move(inner)), limits_(std::move(limits)), stop_(std::move(stop)) {}

  Status make_folders(Deadline by) override { return inner_->make_folders(by); }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    return inner_->list(type, by);
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    return inner_->size(file, by);
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    return paid(inner_->read(file, range, by));
  }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    return paid(inner_->read_all(file, by));
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    RETURN_IF_ERROR(pay(limits_.upload.get(), content.size()));
    return inner_->write(file, content, by);
  }
  Status remove(const FileName& file, Deadline by) override { return inner_->remove(file, by); }
  Result<std::size_t> remove_leftovers(std::chrono::system_clock::time_point time,
                                       Deadline by) override {
    return inner_->remove_leftovers(time, by);
  }
  std::string description() const override { return inner_->description(); }

 private:
  Result<Bytes> paid(Result<Bytes> bytes) {
    if (bytes) RETURN_IF_ERROR(pay(limits_.download.get(), bytes->size()));
    return bytes;
  }

  Status pay(RateLimit* limit, std::size_t bytes) {
    if (limit == nullptr) return {};
    const auto until = limit->charge(bytes);
    std::mutex mutex;
    std::condition_variable_any asked;
    std::unique_lock lock(mutex);
    asked.wait_until(lock, stop_, until, [] { return false; });
    if (stop_.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    return {};
  }

  const std::shared_ptr<Storage> inner_;
  const RateLimits limits_;
  const std::stop_token stop_;
};

}  // namespace

std::shared_ptr<Storage> limit_storage(std::shared_ptr<Storage> inner, RateLimits limits,
                                       std::stop_token stop) {
  if (limits.empty()) return inner;
  return std::make_shared<LimitedStorage>(std::move(inner), std::move(limits), std::move(stop));
}

}  // namespace restree
