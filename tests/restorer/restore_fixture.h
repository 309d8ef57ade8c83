// Shared by the tests of the restorer: a small hand-made repository in memory, a target, and a log
// of the restorer's reports.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/restorer/restorer.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

class RestoreLog final : public RestoreListener {
 public:
  void item(RestoreAction action, RestoredKind, const std::string& location,
            std::uint64_t) override {
    const MutexLock lock(mutex_);
    constexpr const char* kWords[] = {"restored ", "updated ", "unchanged ", "deleted "};
    items.push_back(kWords[static_cast<std::size_t>(action)] + location);
    if (on_item) on_item(items.back());
  }
  void lost(const std::string& location, std::uint64_t size,
            const std::vector<LostRange>& ranges) override {
    const MutexLock lock(mutex_);
    std::string line = location + " of " + std::to_string(size) + ":";
    for (const auto& [begin, end] : ranges) {
      line += " " + std::to_string(begin) + "-" + std::to_string(end);
    }
    losses.push_back(line);
  }
  void error(const std::string& location, const Error& error) override {
    const MutexLock lock(mutex_);
    errors.push_back(location + ": " + error.message());
  }
  // For tests, once the restorer has returned and its threads have ended.
  std::vector<std::string> items;
  std::vector<std::string> errors;
  std::vector<std::string> losses;                       // "/path of SIZE: BEGIN-END …"
  std::function<void(const std::string& line)> on_item;  // called in the middle of the restore

 private:
  Mutex mutex_;
};

class RestoreFixture : public ::testing::Test {
 protected:
  BlobId data(const std::string& content) { return repository_.builder().add_data(content); }
  std::string file(const std::string& name, const std::string& content,
                   const std::string& more = "") {
    return file_node(name, {data(content)}, content.size(), more);
  }
  std::string folder(const std::string& name, const std::vector<std::string>& nodes) {
    return folder_node(name, repository_.builder().add_tree(nodes));
  }
  // Restores a tree of these nodes and gives what was counted.
  void restore(const std::vector<std::string>& nodes) { restore_tree(tree_of(nodes)); }
  BlobId tree_of(const std::vector<std::string>& nodes) {
    const BlobId tree = repository_.builder().add_tree(nodes);
    repository_.builder().finish();
    return tree;
  }
  void restore_tree(const BlobId& tree) {
    opened_ = repository_.open();
    if (reads_headers_) opened_->use_headers({});
    listener_.items.clear();
    restorer_ = std::make_unique<Restorer>(*opened_, options_, listener_, target().string());
    status_ = restorer_->restore(tree);
  }
  void damage_pack_of(const BlobId& id) {
    for (const FileName& pack : repository_.builder().pack_names_of(id)) repository_.damage(pack);
  }
  std::filesystem::path target() const { return dir_.path() / "target"; }
  const RestoreFigures& figures() const { return restorer_->figures(); }

  TempDir dir_;
  MemoryRepository repository_;
  RestoreOptions options_;
  bool reads_headers_ = false;
  RestoreLog listener_;
  std::unique_ptr<Repository> opened_;
  std::unique_ptr<Restorer> restorer_;
  Status status_;
};

inline struct stat lstat_of(const std::filesystem::path& path) {
  struct stat attributes {};
  EXPECT_EQ(::lstat(path.c_str(), &attributes), 0) << path;
  return attributes;
}

}  // namespace restree::testing
