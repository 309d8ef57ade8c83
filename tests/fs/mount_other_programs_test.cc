// Snapshots as other programs write them: restic for Windows, rustic, and restic of its first years.
#include <fmt/core.h>

#include "tests/fs/mount_fixture.h"

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class MountOfOtherPrograms : public MountTest {
 protected:
  // `fields`: what the JSON of the snapshot has beside its tree.
  std::string add_snapshot_with(const BlobId& tree, const std::string& fields) {
    return memory_.builder()
        .add_sealed(FileType::kSnapshot, fmt::format(R"({{"tree":"{}",{}}})", tree.hex(), fields))
        .substr(0, 8);
  }
  BlobId tree_of(const std::vector<std::string>& nodes) {
    return memory_.builder().add_tree(nodes);
  }
};

TEST_F(MountOfOtherPrograms, AnAppFromWindowsIsCalledByItsLastFolder) {
  const std::string file = fmt::format(
      R"({{"name":"notes.txt","type":"file","mode":438,"mtime":"2026-01-02T03:04:05.123456789+01:00",)"
      R"("atime":"2026-01-02T03:04:05+01:00","ctime":"2026-01-02T03:04:05+01:00","uid":0,"gid":0,)"
      R"("user":"NT AUTHORITY\\SYSTEM","inode":0,"device_id":0,"size":5,)"
      R"("generic_attributes":{{"windows.creation_time":"aGVsbG8=","windows.file_attributes":32,)"
      R"("windows.security_descriptor":"AQAE"}},"content":["{}"]}})",
      data("hello").hex());
  const BlobId app = tree_of({file});
  const BlobId users = tree_of({folder_node("Wiki Data", app)});
  const BlobId root = tree_of({folder_node("C", tree_of({folder_node("srv", users)}))});
  add_snapshot_with(root, R"("time":"2026-01-02T03:04:05+01:00","paths":["C:\\srv\\Wiki Data"],)"
                          R"("hostname":"WINBOX","username":"WINBOX\\jo")");
  memory_.builder().finish();
  open();
  EXPECT_THAT(names({"apps"}), ElementsAre(".", "..", "Wiki Data"));
  const Mount::Found found =
      lookup({"apps", "Wiki Data", "2026-01-02T02-04-05Z", "C", "srv", "Wiki Data", "notes.txt"});
  EXPECT_EQ(value_of(read(found.inode)), "hello");
  EXPECT_EQ(found.attributes.st_mode, S_IFREG | 0666U);
  EXPECT_EQ(found.attributes.st_mtim.tv_nsec, 123456789);
}

TEST_F(MountOfOtherPrograms, WhatRusticAddsToSnapshotsAndIndexesIsNoObstacle) {
  const BlobId content = data("hello");
  const BlobId tree = tree_of({file_node("f", {content}, 5)});
  const std::string id = add_snapshot_with(
      tree, R"("time":"2026-01-02T03:04:05.678+01:00","program_version":"rustic 0.11.4",)"
            R"("parents":[],"label":"nightly","paths":["/srv/wiki"],"hostname":"nas",)"
            R"("username":"","uid":0,"gid":0,"tags":["app=wiki"],"delete":{"After":)"
            R"("2027-01-02T03:04:05+01:00"},"description":"before the move",)"
            R"("summary":{"files_new":1,"total_duration":0.25,"command":"rustic backup"})");
  memory_.builder().finish();
  // What a prune of rustic leaves behind: a pack that is to be deleted later.
  memory_.builder().add_sealed(
      FileType::kIndex,
      fmt::format(R"({{"packs":[],"packs_to_delete":[{{"id":"{0}","time":)"
                  R"("2026-02-02T03:04:05+01:00","size":123,"blobs":[{{"id":"{0}","type":"data",)"
                  R"("offset":0,"length":77,"uncompressed_length":45}}]}}]}})",
                  std::string(64, 'a')));
  open();
  EXPECT_THAT(names({"apps", "wiki"}),
              UnorderedElementsAre(".", "..", "2026-01-02T02-04-05Z", "latest"));
  EXPECT_EQ(value_of(read(lookup({"ids", id, "f"}).inode)), "hello");
}

// No times but one, no links, no device, no host's user; ids of files in "content" only.
TEST_F(MountOfOtherPrograms, ASnapshotOfTheFirstResticIsShown) {
  const std::string file = fmt::format(
      R"({{"name":"old","type":"file","mode":420,"mtime":"2014-09-08T21:37:56.9+02:00",)"
      R"("uid":1000,"gid":100,"size":5,"content":["{}"]}})",
      data("hello").hex());
  const std::string id =
      add_snapshot_with(tree_of({file}), R"("time":"2014-09-08T21:38:00+02:00","dir":"/home/jo",)"
                                         R"("paths":["/home/jo"],"hostname":"kasimir",)"
                                         R"("username":"jo","uid":1000,"gid":100)");
  memory_.builder().finish();
  open();
  EXPECT_THAT(names({"apps"}), ElementsAre(".", "..", "jo"));
  const Mount::Found found = lookup({"ids", id, "old"});
  EXPECT_EQ(value_of(read(found.inode)), "hello");
  EXPECT_EQ(found.attributes.st_nlink, 1U);
  EXPECT_EQ(found.attributes.st_uid, 1000U);
}

}  // namespace
}  // namespace restree::testing
