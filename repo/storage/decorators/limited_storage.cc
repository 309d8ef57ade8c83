#include "repo/storage/decorators/limited_storage.h"

#include <utility>

#include "repo/base/waiting.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {
namespace {

class LimitedStorage final : public ForwardingStorage {
 public:
  LimitedStorage(std::shared_ptr<Storage> inner, RateLimits limits, std::stop_token stop)
      : ForwardingStorage(std::move(inner)), limits_(std::move(limits)), stop_(std::move(stop)) {}

  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    return paid(inner().read(file, range, by));
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    return paid(inner().read_into(buffer, file, range, by));
  }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    return paid(inner().read_all(file, by));
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    RETURN_IF_ERROR(pay(limits_.upload.get(), content.size()));
    return inner().write(file, content, by);
  }

 private:
  // A stop ends the pause, and the bytes are here: an interrupted command has to see what stands in
  // the storage in order to leave it tidy.
  template <class Content>
  Result<Content> paid(Result<Content> bytes) {
    if (bytes && limits_.download) sleep_until(stop_, limits_.download->charge(bytes->size()));
    return bytes;
  }

  Status pay(RateLimit* limit, std::size_t bytes) {
    if (limit == nullptr) return {};
    if (!sleep_until(stop_, limit->charge(bytes))) {
      return Error(ErrorKind::kCancelled, "interrupted");
    }
    return {};
  }

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
