#include "tests/storage/storage_contract.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "repo/storage/local_storage.h"
#include "repo/storage/location.h"
#include "repo/storage/memory_storage.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

class InMemory final : public StorageUnderTest {
 public:
  Storage& storage() override { return storage_; }
  void put_stray(const std::string&) override {}

 private:
  MemoryStorage storage_;
};

void put_file(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "stray";
}

class InFolder final : public StorageUnderTest {
 public:
  InFolder() : storage_(make_local_storage(dir_.path().string())) {}
  Storage& storage() override { return *storage_; }
  void put_stray(const std::string& path) override { put_file(dir_.path() / path); }

 private:
  TempDir dir_;
  std::shared_ptr<Storage> storage_;
};

class OverSftp final : public StorageUnderTest {
 public:
  OverSftp(SshdOptions server, const std::string& command) : sshd_(std::move(server)) {
    SshOptions options = sshd_.ssh_options();
    options.command = command;
    storage_ = value_of(make_storage(value_of(parse_location(sshd_.location(root()))), options));
  }
  Storage& storage() override { return *storage_; }
  void put_stray(const std::string& path) override { put_file(root() / path); }

 private:
  fs::path root() const { return sshd_.folder() / "some/folder/repo"; }

  Sshd sshd_;
  std::shared_ptr<Storage> storage_;
};

StorageKind over_sftp(const std::string& name, const SshdOptions& server,
                      const std::string& command = "") {
  return {name, [=] { return std::make_unique<OverSftp>(server, command); }};
}

INSTANTIATE_TEST_SUITE_P(
    All, StorageContract,
    ::testing::Values(StorageKind{"Memory", [] { return std::make_unique<InMemory>(); }},
                      StorageKind{"Local", [] { return std::make_unique<InFolder>(); }},
                      over_sftp("InternalSftp", {}),
                      over_sftp("ExternalSftpServer", {.external_sftp_server = true}),
                      // Keys are exchanged anew every 256 KiB.
                      over_sftp("ConstantRekeying", {.config = {"RekeyLimit 256K"}}),
                      over_sftp("SshSubprocess", {}, "ssh")),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace restree::testing
