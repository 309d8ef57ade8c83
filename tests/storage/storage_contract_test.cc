#include "tests/storage/storage_contract.h"

#include <memory>
#include <string>

#include "repo/storage/local_storage.h"
#include "repo/storage/memory_storage.h"
#include "tests/storage/over_sftp.h"
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
