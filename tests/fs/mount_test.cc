#include "fs/mount.h"

#include <string>
#include <utility>
#include <vector>

#include "fs/inode_numbers.h"
#include "tests/fs/mount_fixture.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::Entries;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::IsEmpty;
using testing::MountTest;
using testing::value_of;

// --- names and listings -------------------------------------------------------------------------

TEST_F(MountTest, ShowsASnapshotAndItsFiles) {
  mount({file_node("f", {data("content")}, 7), folder_node("d", memory_.builder().add_tree({}))});
  EXPECT_THAT(names(Namespace::kRootInode),
              ElementsAre(".", "..", "apps", "hosts", "ids", "snapshots", "tags"));
  EXPECT_THAT(names({"ids", snapshot_}), ElementsAre(".", "..", "d", "f"));
  EXPECT_EQ(value_of(read(in_snapshot("f").inode)), "content");
  EXPECT_EQ(in_snapshot("f").attributes.st_size, 7);
  EXPECT_TRUE(S_ISDIR(in_snapshot("d").attributes.st_mode));
}

TEST_F(MountTest, ShowsNoLinkAndNoAttributeThatAZeroByteWouldCutShort) {
  mount({R"({"name":"link","type":"symlink","mode":134218239,"linktarget":"/etc\u0000x"})",
         file_node("f", {}, 0,
                   R"(,"extended_attributes":[{"name":"user.a\u0000b","value":"eA=="},)"
                   R"({"name":"user.c","value":"eQ=="}])")});
  EXPECT_THAT(names({"ids", snapshot_}), ElementsAre(".", "..", "f", "link"));
  EXPECT_THAT(mount_->link_target(in_snapshot("link").inode), FailsWith(ErrorKind::kCorrupt));
  const std::uint64_t file = in_snapshot("f").inode;
  EXPECT_THAT(value_of(mount_->attribute_names(file)), ElementsAre("user.c"));
  EXPECT_EQ(value_of(mount_->attribute(file, "user.c")), "y");
  EXPECT_EQ(value_of(mount_->attribute(file, "user.a")), std::nullopt);
}

TEST_F(MountTest, HasNoOtherNames) {
  mount({file_node("f", {}, 0)});
  EXPECT_FALSE(value_of(try_lookup({"ids", snapshot_, "g"})).has_value());
  EXPECT_FALSE(value_of(try_lookup({"ids", "00000000"})).has_value());
  EXPECT_THAT(mount_->attributes(12345), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(mount_->attributes(kVirtualBit | 12345), FailsWith(ErrorKind::kNotFound));
}

TEST_F(MountTest, KnowsWhichAbsenceLasts) {
  mount({folder_node("d", memory_.builder().add_tree({}))});
  EXPECT_FALSE(mount_->lasting_absence(Namespace::kRootInode));
  EXPECT_FALSE(mount_->lasting_absence(lookup({"apps"}).inode));
  EXPECT_TRUE(mount_->lasting_absence(top()));
  EXPECT_TRUE(mount_->lasting_absence(in_snapshot("d").inode));
  EXPECT_TRUE(in_snapshot("d").lasting);
  EXPECT_FALSE(lookup({"ids", snapshot_}).lasting);
}

TEST_F(MountTest, ListingGoesOnWhereItStopped) {
  std::vector<std::string> nodes;
  std::vector<std::string> all{".", ".."};
  for (int i = 10; i < 30; ++i) {
    all.push_back(std::to_string(i));
    nodes.push_back(file_node(all.back(), {}, 0));
  }
  mount(nodes);
  for (const bool with_attributes : {false, true}) {
    for (std::size_t room = 1; room < 9; ++room) {
      std::vector<std::string> seen;
      for (std::uint64_t offset = 0;;) {
        Entries entries(room);
        ASSERT_OK(mount_->list(top(), offset, with_attributes, entries));
        if (entries.names.empty()) break;
        seen.insert(seen.end(), entries.names.begin(), entries.names.end());
        offset = entries.next;
      }
      EXPECT_EQ(seen, all);
    }
  }
}

TEST_F(MountTest, ListingWithAttributesTakesReferencesThatForgetGivesBack) {
  mount({file_node("a", {}, 0), file_node("b", {}, 0)});
  Entries entries;
  ASSERT_OK(mount_->list(top(), 0, true, entries));
  EXPECT_EQ(entries.taken.size(), 2U);
  EXPECT_EQ(mount_->known_inodes(), 2U);
  EXPECT_EQ(in_snapshot("a").inode, entries.taken[0]);
  for (const std::uint64_t inode : entries.taken) mount_->forget(inode, 1);
  EXPECT_EQ(mount_->known_inodes(), 1U);
  mount_->forget(entries.taken[0], 1);
  EXPECT_EQ(mount_->known_inodes(), 0U);
}

TEST_F(MountTest, InodesAreTheSameAtEveryMount) {
  mount({file_node("a", {}, 0), file_node("b", {}, 0)});
  const auto first = std::pair(in_snapshot("a").inode, in_snapshot("b").inode);
  open();
  EXPECT_EQ(in_snapshot("b").inode, first.second);
  EXPECT_EQ(in_snapshot("a").inode, first.first);
}

TEST_F(MountTest, AppsAreWithoutTheLeadingPathAndWithTheFoldersOwnAttributes) {
  auto& builder = memory_.builder();
  const BlobId app = builder.add_tree({file_node("app.ini", {data("x")}, 1)});
  const BlobId srv = builder.add_tree({folder_node("gitea", app, ",\"mode\":2147484096")});
  builder.add_snapshot(builder.add_tree({folder_node("srv", srv)}), {.paths = {"/srv/gitea"}});
  builder.finish();
  open();
  const std::string time = "2026-09-01T03-00-05Z";
  EXPECT_THAT(names({"apps", "gitea", time}), ElementsAre(".", "..", "app.ini"));
  EXPECT_EQ(lookup({"apps", "gitea", time}).attributes.st_mode, mode_t{S_IFDIR | 0700});
  EXPECT_THAT(names({"snapshots", time}), ElementsAre(".", "..", "srv"));
  EXPECT_EQ(value_of(mount_->link_target(lookup({"apps", "gitea", "latest"}).inode)), time);
}

// --- hard links ---------------------------------------------------------------------------------

TEST_F(MountTest, NamesOfOneFileAreOneInodeWithinASnapshotOnly) {
  const BlobId one = data("one");
  const auto linked = [&](const std::string& name, const BlobId& blob) {
    std::string node = file_node(name, {blob}, 3);
    node.replace(node.find("\"links\":1"), 9, "\"links\":2");
    return node;
  };
  mount({linked("a", one), linked("b", one), linked("other content", data("two"))});
  EXPECT_EQ(in_snapshot("a").inode, in_snapshot("b").inode);
  EXPECT_EQ(in_snapshot("a").attributes.st_nlink, 2U);
  EXPECT_NE(in_snapshot("a").inode, in_snapshot("other content").inode);
  EXPECT_NE(in_snapshot("a").inode, lookup({"snapshots", "2026-09-01T03-00-05Z", "a"}).inode);
}

// --- attributes ---------------------------------------------------------------------------------

TEST_F(MountTest, GivesExtendedAttributes) {
  const std::string more =
      R"(,"extended_attributes":[{"name":"user.a","value":"AP8="},{"name":"user.b","value":""}])";
  mount({file_node("f", {}, 0, more)});
  const std::uint64_t inode = in_snapshot("f").inode;
  EXPECT_THAT(value_of(mount_->attribute_names(inode)), ElementsAre("user.a", "user.b"));
  EXPECT_EQ(value_of(mount_->attribute(inode, "user.a")), std::string("\0\xff", 2));
  EXPECT_EQ(value_of(mount_->attribute(inode, "user.b")), "");
  EXPECT_EQ(value_of(mount_->attribute(inode, "user.c")), std::nullopt);
  EXPECT_THAT(value_of(mount_->attribute_names(Namespace::kRootInode)), IsEmpty());
}

TEST_F(MountTest, GivesFiguresWithoutTheStorage) {
  mount({file_node("f", {data("content")}, 7)});
  memory_.storage().watch([](const FileName&) -> Status {
    ADD_FAILURE() << "asked the storage";
    return {};
  });
  const struct statvfs figures = mount_->figures();
  EXPECT_GT(figures.f_blocks - figures.f_bfree, 0U);
  EXPECT_EQ(figures.f_files - figures.f_ffree, 2U);
  // Far from full, so that monitoring raises no alarm.
  EXPECT_GT(figures.f_bavail, figures.f_blocks / 2);
  EXPECT_EQ(figures.f_bavail, figures.f_bfree);
  EXPECT_GT(figures.f_favail, figures.f_files / 2);
  EXPECT_EQ(figures.f_namemax, 255U);
}

TEST_F(MountTest, BendsOwnersAndModesAsTheOptionsSay) {
  MountOptions options;
  options.ownership = {.uid = 5, .gid = 6, .umask = 0077};
  mount({file_node("f", {}, 0)}, options);
  const struct stat file = in_snapshot("f").attributes;
  EXPECT_EQ(file.st_uid, 5U);
  EXPECT_EQ(file.st_gid, 6U);
  EXPECT_EQ(file.st_mode, mode_t{S_IFREG | 0600});
}

TEST_F(MountTest, ShowsAclsAsTheUmaskLeavesThem) {
  MountOptions options;
  options.ownership = {.uid = {}, .gid = {}, .umask = 0077};
  mount({file_node("f", {}, 0,
                   R"(,"extended_attributes":[{"name":"system.posix_acl_access",)"
                   // Owner, group and others: rw, r, r.
                   R"("value":"AgAAAAEABgD/////BAAEAP////8gAAQA/////w=="},)"
                   R"({"name":"system.nfs4_acl","value":"eA=="}])")},
        options);
  const std::uint64_t file = in_snapshot("f").inode;
  const std::optional<std::string> acl =
      value_of(mount_->attribute(file, "system.posix_acl_access"));
  ASSERT_TRUE(acl);
  EXPECT_EQ((std::string{(*acl)[6], (*acl)[14], (*acl)[22]}), (std::string{6, 0, 0}));
  EXPECT_EQ(value_of(mount_->attribute(file, "system.nfs4_acl")), std::nullopt);
  EXPECT_THAT(value_of(mount_->attribute_names(file)), ElementsAre("system.posix_acl_access"));
}

}  // namespace
}  // namespace restree
