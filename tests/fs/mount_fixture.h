// A mount of a repository in memory, and what tests do with it: find names, list, read, change the
// snapshots.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/mount.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {

// Collects a listing, at most `room` entries at a time.
class Entries final : public Mount::Listing {
 public:
  explicit Entries(std::size_t room = 1000) : room_(room) {}
  bool has_room(std::string_view) override { return names.size() < room_; }
  void add(std::string_view name, std::uint64_t inode, mode_t,
           const std::optional<Mount::Found>& found, std::uint64_t next_offset) override {
    names.emplace_back(name);
    inodes.push_back(inode);
    if (found) taken.push_back(found->inode);
    next = next_offset;
  }
  std::vector<std::string> names;
  std::vector<std::uint64_t> inodes;
  std::vector<std::uint64_t> taken;
  std::uint64_t next = 0;

 private:
  const std::size_t room_;
};

class MountTest : public ::testing::Test {
 protected:
  // A snapshot of these nodes, and the mount.
  void mount(const std::vector<std::string>& nodes, MountOptions options = {}) {
    snapshot_ = memory_.builder().add_snapshot(memory_.builder().add_tree(nodes));
    memory_.builder().finish();
    open(std::move(options));
  }
  void open(MountOptions options = {}) {
    repository_ = value_of(memory_.try_open());
    mount_ = value_of(Mount::open(*repository_, std::move(options)));
  }

  Result<std::optional<Mount::Found>> try_lookup(const std::vector<std::string>& path) {
    std::uint64_t inode = Namespace::kRootInode;
    Result<std::optional<Mount::Found>> found = std::optional<Mount::Found>();
    for (const auto& name : path) {
      found = mount_->lookup(inode, name);
      if (!found || !found->has_value()) return found;
      inode = (*found)->inode;
    }
    return found;
  }
  Mount::Found lookup(const std::vector<std::string>& path) {
    const auto found = value_of(try_lookup(path));
    if (!found) throw std::runtime_error("no " + path.back());
    return *found;
  }
  // Something in the snapshot that mount() made.
  Mount::Found in_snapshot(const std::string& name) { return lookup({"ids", snapshot_, name}); }
  std::uint64_t top() { return lookup({"ids", snapshot_}).inode; }

  Result<std::string> read(std::uint64_t inode, std::uint64_t offset = 0,
                           std::size_t size = 1 << 20) {
    ASSIGN_OR_RETURN(const Mount::Slices slices, mount_->read(inode, offset, size));
    std::string bytes;
    for (const ByteView view : slices.views) bytes += as_text(view);
    return bytes;
  }
  std::vector<std::string> names(std::uint64_t directory) {
    Entries entries;
    EXPECT_OK(mount_->list(directory, 0, false, entries));
    return entries.names;
  }
  std::vector<std::string> names(const std::vector<std::string>& path) {
    return names(path.empty() ? Namespace::kRootInode : lookup(path).inode);
  }
  BlobId data(std::string_view content) { return memory_.builder().add_data(content); }

  MemoryRepository memory_;
  std::string snapshot_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<Mount> mount_;
};

// The same with one snapshot of a file `f`, for tests in which the snapshots change.
class RefreshedMount : public MountTest {
 protected:
  RefreshedMount() { mount({file_node("f", {data("content")}, 7)}); }
  std::string add(const std::string& time) {
    const BlobId tree = memory_.builder().add_tree({file_node("f", {data(time)}, time.size())});
    std::string id = memory_.builder().add_snapshot(tree, {.time = time});
    memory_.builder().finish();
    return id;
  }
  void forget(const std::string& short_id) {
    for (const auto& file : value_of(memory_.storage().list(FileType::kSnapshot, soon()))) {
      if (file.name.starts_with(short_id)) memory_.remove({FileType::kSnapshot, file.name});
    }
  }
  // Stores a snapshot under another id, with other tags, as `restic tag` does; returns its short
  // id.
  std::string retag(const std::string& short_id, const std::vector<std::string>& tags) {
    for (const auto& file : value_of(memory_.storage().list(FileType::kSnapshot, soon()))) {
      if (!file.name.starts_with(short_id)) continue;
      const SnapshotId id = value_of(SnapshotId::parse(file.name));
      const Snapshot old = value_of(repository_->load_snapshot(id, soon()));
      const std::string time = value_of(format_time(old.time, "%Y-%m-%dT%H:%M:%SZ"));
      memory_.remove({FileType::kSnapshot, file.name});
      return memory_.builder().add_snapshot(old.tree,
                                            {.time = time, .tags = tags, .original = file.name});
    }
    throw std::runtime_error("no snapshot " + short_id);
  }
  // Fails the next call for a type of file, and only that.
  void fail_once(FileType type) {
    memory_.storage().watch([this, type](const FileName& file) -> Status {
      if (file.type != type) return {};
      memory_.storage().watch({});
      return Error(ErrorKind::kUnavailable, "the line is down");
    });
  }
};

}  // namespace restree::testing
