#include "tests/storage/storage_contract.h"

#include <memory>
#include <string>

#include "repo/storage/decorators/breaker_storage.h"
#include "repo/storage/decorators/confirmed_storage.h"
#include "repo/storage/decorators/deadline_storage.h"
#include "repo/storage/decorators/early_storage.h"
#include "repo/storage/decorators/forwarding_storage.h"
#include "repo/storage/decorators/limited_storage.h"
#include "repo/storage/decorators/retry_storage.h"
#include "repo/storage/decorators/write_gate.h"
#include "repo/storage/local_storage.h"
#include "repo/storage/memory_storage.h"
#include "tests/storage/sftp/over_sftp.h"
#include "tests/storage/storage_joining_contract.h"
#include "tests/support/joining_storage.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

class InMemory final : public StorageUnderTest {
 public:
  Storage& storage() override { return storage_; }
  void put_stray(const std::string&) override {}
  void put_stray(const std::string&, std::chrono::hours) override {}
  bool has_stray(const std::string&) override { return false; }
  bool keeps_strays() const override { return false; }

 private:
  MemoryStorage storage_;
};

class InFolder final : public StorageUnderTest {
 public:
  InFolder() : storage_(make_local_storage(dir_.path().string())) {}
  Storage& storage() override { return *storage_; }
  void put_stray(const std::string& path) override { put_file(dir_.path() / path); }
  void put_stray(const std::string& path, std::chrono::hours age) override {
    put_file(dir_.path() / path, age);
  }
  bool has_stray(const std::string& path) override {
    return std::filesystem::exists(dir_.path() / path);
  }

 private:
  TempDir dir_;
  std::shared_ptr<Storage> storage_;
};

// A decorator over a folder keeps every promise that the folder alone keeps; and it passes on what another storage
// can do besides.
class Decorated final : public StorageUnderTest {
 public:
  using Decorate = std::function<std::shared_ptr<Storage>(std::shared_ptr<Storage> inner)>;

  Decorated(const Decorate& decorate, bool joins)
      : joins_(joins),
        storage_(
            decorate(std::make_shared<JoiningStorage>(make_local_storage(dir_.path().string())))) {}
  Storage& storage() override { return *storage_; }
  void put_stray(const std::string& path) override { put_file(dir_.path() / path); }
  void put_stray(const std::string& path, std::chrono::hours age) override {
    put_file(dir_.path() / path, age);
  }
  bool has_stray(const std::string& path) override {
    return std::filesystem::exists(dir_.path() / path);
  }
  bool joins() const override { return joins_; }

 private:
  TempDir dir_;
  const bool joins_;
  std::shared_ptr<Storage> storage_;
};

StorageKind decorated(std::string name, Decorated::Decorate decorate, bool joins = true) {
  return {std::move(name), [decorate = std::move(decorate), joins] {
            return std::make_unique<Decorated>(decorate, joins);
          }};
}

INSTANTIATE_TEST_SUITE_P(
    Decorators, StorageContract,
    ::testing::Values(
        decorated("Forwarding",
                  [](auto inner) { return std::make_shared<ForwardingStorage>(std::move(inner)); }),
        decorated("Retry",
                  [](auto inner) {
                    return std::make_shared<RetryStorage>(std::move(inner), BackOff{},
                                                          std::stop_token());
                  }),
        decorated("Breaker",
                  [](auto inner) {
                    return std::make_shared<BreakerStorage>(std::move(inner), BreakerTiming{});
                  }),
        decorated("Confirmed",
                  [](auto inner) {
                    return std::make_shared<ConfirmedStorage>(std::move(inner),
                                                              [](const std::string&) {});
                  }),
        decorated(
            "Deadline",
            [](auto inner) {
              return std::make_shared<DeadlineStorage>(std::move(inner), std::stop_token());
            },
            /*joins=*/false),
        decorated("Early",
                  [](auto inner) {
                    return std::make_shared<EarlyStorage>(std::move(inner), EarlyReads{});
                  }),
        // So much a second that no test waits long for it.
        decorated("Limited",
                  [](auto inner) {
                    return limit_storage(std::move(inner), make_rate_limits(1 << 30, 1 << 30), {});
                  }),
        decorated("WriteGate",
                  [](auto inner) { return std::make_shared<WriteGate>(std::move(inner)); })),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    All, StorageContract,
    ::testing::Values(StorageKind{"Memory", [] { return std::make_unique<InMemory>(); }},
                      StorageKind{"Local", [] { return std::make_unique<InFolder>(); }},
                      over_sftp("InternalSftp", {}),
                      over_sftp("ExternalSftpServer", {.external_sftp_server = true}),
                      over_sftp("SshSubprocess", {}, "ssh")),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace restree::testing
