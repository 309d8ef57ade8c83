// An SFTP storage under test, with a real sshd of its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "program/storage_kinds.h"
#include "tests/storage/storage_contract.h"
#include "tests/support/sshd.h"

namespace restree::testing {

// Makes a file that listings should not show.
inline void put_file(const std::filesystem::path& path, std::chrono::hours age = {}) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << "stray";
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - age);
}

class OverSftp final : public StorageUnderTest {
 public:
  OverSftp(SshdOptions server, const std::string& command) : sshd_(std::move(server)) {
    SshOptions options = sshd_.ssh_options();
    options.command = command;
    storage_ = value_of(value_of(parse_location(sshd_.location(root())))->make_storage(options));
  }
  Storage& storage() override { return *storage_; }
  void put_stray(const std::string& path) override { put_file(root() / path); }
  void put_stray(const std::string& path, std::chrono::hours age) override {
    put_file(root() / path, age);
  }
  bool has_stray(const std::string& path) override {
    return std::filesystem::exists(root() / path);
  }
  bool joins() const override { return true; }

 private:
  std::filesystem::path root() const { return sshd_.folder() / "some/folder/repo"; }

  Sshd sshd_;
  std::shared_ptr<Storage> storage_;
};

inline StorageKind over_sftp(const std::string& name, const SshdOptions& server,
                             const std::string& command = "") {
  return {name, [=] { return std::make_unique<OverSftp>(server, command); }};
}

}  // namespace restree::testing
