#include "fs/mount.h"

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fs/inode_numbers.h"
#include "repo/base/log.h"
#include "tests/support/fake_processes.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using ::testing::Not;
using testing::value_of;

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

// --- reading ------------------------------------------------------------------------------------

TEST_F(MountTest, ReadsAnyRangeOfAFile) {
  mount({file_node("f", {data("0123"), data("456"), data("789")}, 10)});
  const std::string whole = "0123456789";
  const std::uint64_t inode = in_snapshot("f").inode;
  for (std::size_t offset = 0; offset < 12; ++offset) {
    for (std::size_t size = 0; size < 12; ++size) {
      const std::string expected = offset < 10 ? whole.substr(offset, size) : "";
      EXPECT_EQ(value_of(read(inode, offset, size)), expected) << offset << " " << size;
    }
  }
}

TEST_F(MountTest, ReadsOnlyFiles) {
  mount({folder_node("d", memory_.builder().add_tree({}))});
  EXPECT_THAT(read(in_snapshot("d").inode), FailsWith(ErrorKind::kInvalid));
}

TEST_F(MountTest, DamageCostsItsOwnBytesOnly) {
  const BlobId bad = data("BAD");
  mount({file_node("f", {data("0123"), bad, data("789")}, 10)}, {});
  const FileName pack = memory_.builder().pack_names_of(bad)[0];
  ASSERT_OK(memory_.storage().write(pack, as_bytes(std::string(300, 'x')), testing::soon()));
  const std::uint64_t inode = in_snapshot("f").inode;
  EXPECT_EQ(value_of(read(inode, 0, 4)), "0123");
  EXPECT_EQ(value_of(read(inode, 7, 3)), "789");
  for (std::uint64_t offset = 4; offset < 7; ++offset) {
    EXPECT_THAT(read(inode, offset, 1), FailsWith(ErrorKind::kCorrupt));
  }
  EXPECT_THAT(read(inode, 3, 2), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, ABlobThatNoIndexNamesCostsItsOwnBytesOnly) {
  mount({file_node("f", {data("0123"), BlobId{}, data("789")}, 10)});
  const Mount::Found file = in_snapshot("f");
  EXPECT_EQ(file.attributes.st_size, 10);
  EXPECT_EQ(value_of(read(file.inode, 0, 4)), "0123");
  EXPECT_EQ(value_of(read(file.inode, 7, 9)), "789");
  EXPECT_THAT(read(file.inode, 5, 1), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, SeveralBlobsThatNoIndexNamesCostTheirBytesAndThoseBetween) {
  mount({file_node("f", {data("01"), BlobId{}, data("45"), BlobId{}, data("89")}, 10)});
  const std::uint64_t inode = in_snapshot("f").inode;
  EXPECT_EQ(value_of(read(inode, 0, 2)), "01");
  EXPECT_EQ(value_of(read(inode, 8, 2)), "89");
  EXPECT_THAT(read(inode, 4, 1), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, AnOutageIsNotDamageAndPasses) {
  mount({file_node("f", {data("content")}, 7)});
  const std::uint64_t inode = in_snapshot("f").inode;
  memory_.storage().watch(
      [](const FileName&) -> Status { return Error(ErrorKind::kUnavailable, "the line is down"); });
  EXPECT_THAT(read(inode), FailsWith(ErrorKind::kUnavailable));
  memory_.storage().watch({});
  while (!read(inode)) std::this_thread::yield();  // an outage is remembered for a moment
  EXPECT_EQ(value_of(read(inode)), "content");
}

// --- damaged and hostile trees ------------------------------------------------------------------

TEST_F(MountTest, ADirectoryWhoseTreeIsMissingIsDamageAndHarmsNoOther) {
  BlobId nowhere;
  nowhere.bytes.fill(std::byte{9});
  mount({folder_node("bad", nowhere), R"({"name":"none","type":"dir","mode":2147484141})",
         file_node("good", {data("x")}, 1)});
  for (const char* name : {"bad", "none"}) {
    const std::uint64_t inode = in_snapshot(name).inode;
    Entries entries;
    EXPECT_THAT(mount_->list(inode, 0, true, entries), FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(mount_->lookup(inode, "x"), FailsWith(ErrorKind::kCorrupt));
  }
  EXPECT_EQ(value_of(read(in_snapshot("good").inode)), "x");
}

TEST_F(MountTest, HostileNamesAreNotThere) {
  mount({file_node("..", {}, 0), file_node("a/b", {}, 0), file_node("", {}, 0),
         file_node("good", {}, 0)});
  EXPECT_THAT(names({"ids", snapshot_}), ElementsAre(".", "..", "good"));
  for (const char* name : {"..", "a/b", "", "."}) {
    EXPECT_FALSE(value_of(mount_->lookup(top(), name)).has_value()) << name;
  }
}

// An honest source cannot give such a tree: its id would have to be the hash of itself.
TEST_F(MountTest, ATreeThatContainsItselfIsDamage) {
  BlobId own{};
  own.bytes.fill(std::byte{0x5a});
  memory_.builder().add_as(own, BlobType::kTree, "{\"nodes\":[" + folder_node("again", own) + "]}");
  mount({folder_node("loop", own)});
  const std::uint64_t loop = in_snapshot("loop").inode;
  EXPECT_THAT(mount_->lookup(loop, "again"), FailsWith(ErrorKind::kCorrupt));
  Entries entries;
  EXPECT_THAT(mount_->list(loop, 0, true, entries), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, ASnapshotWhoseRootIsMissingIsDamageNeverAbsence) {
  memory_.builder().add_snapshot(BlobId{{std::byte{1}}}, {.paths = {"/srv/x"}});
  open();
  EXPECT_THAT(try_lookup({"apps", "x", "2026-09-01T03-00-05Z"}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(names({"apps", "x"}), Contains("2026-09-01T03-00-05Z"));
}

TEST_F(MountTest, ADamagedSnapshotIsLeftOut) {
  memory_.builder().add_sealed(FileType::kSnapshot, "garbage");
  mount({file_node("f", {}, 0)});
  EXPECT_THAT(names({"ids"}), ElementsAre(".", "..", snapshot_));
}

TEST_F(MountTest, TheLogNamesTheSnapshotAndThePathOfWhatFailed) {
  const testing::TempDir dir;
  const std::string log_file = (dir.path() / "log").string();
  ASSERT_OK(log::open_file(log_file));
  auto& builder = memory_.builder();
  const BlobId lost{{std::byte{1}}};
  const BlobId inner = builder.add_tree({file_node("lost", {lost}, 6)});
  mount({folder_node("deep", builder.add_tree({folder_node("in", inner)})),
         file_node("lost", {lost}, 5)});
  EXPECT_FALSE(read(in_snapshot("lost").inode));
  EXPECT_FALSE(read(lookup({"ids", snapshot_, "deep", "in", "lost"}).inode));
  const std::string lines = testing::read_file(log_file);
  const std::string top = "snapshot " + snapshot_ + ", path \"ids/" + snapshot_;
  EXPECT_THAT(lines, ::testing::HasSubstr("read bytes 0 to 5: " + top + "/lost\": "));
  EXPECT_THAT(lines, ::testing::HasSubstr("read bytes 0 to 6: " + top + "/deep/in/lost\": "));
}

// --- holes --------------------------------------------------------------------------------------

TEST_F(MountTest, SeeksToHolesAndData) {
  const std::string hole(kZeroBlobBytes, '\0');
  const BlobId zeros = data(hole);
  ASSERT_EQ(zeros, zero_blob_id());
  mount({file_node("f", {data("data"), zeros, zeros, data("more"), data(std::string(100, '\0'))},
                   0)});
  const std::uint64_t inode = in_snapshot("f").inode;
  const std::uint64_t more = 4 + 2 * kZeroBlobBytes;
  const auto seek = [&](std::uint64_t offset, bool to_data) {
    return value_of(mount_->seek(inode, offset, to_data));
  };
  EXPECT_EQ(seek(0, true), 0U);
  EXPECT_EQ(seek(0, false), 4U);
  EXPECT_EQ(seek(4, false), 4U);
  EXPECT_EQ(seek(4, true), more);
  EXPECT_EQ(seek(more - 1, true), more);
  EXPECT_EQ(seek(more + 1, true), more + 1);
  EXPECT_EQ(seek(more, false), more + 4);  // the tail, shorter than the other zeros
  EXPECT_EQ(seek(more + 4, true), std::nullopt);
  EXPECT_EQ(seek(more + 50, false), more + 50);
  EXPECT_EQ(seek(more + 104, false), std::nullopt);
  EXPECT_EQ(seek(more + 104, true), std::nullopt);
}

TEST_F(MountTest, TakesTheEndOfAFileForAHole) {
  mount({file_node("f", {data("data")}, 4)});
  EXPECT_EQ(value_of(mount_->seek(in_snapshot("f").inode, 1, false)), 4U);
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
  EXPECT_GT(figures.f_blocks, 0U);
  EXPECT_EQ(figures.f_files, 2U);
  EXPECT_EQ(figures.f_bfree, 0U);
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

// --- refresh ------------------------------------------------------------------------------------

class RefreshedMount : public MountTest {
 protected:
  RefreshedMount() { mount({file_node("f", {data("content")}, 7)}); }
  std::string add(const std::string& time) {
    const BlobId tree = memory_.builder().add_tree({file_node("f", {data(time)}, time.size())});
    const std::string id = memory_.builder().add_snapshot(tree, {.time = time});
    memory_.builder().finish();
    return id;
  }
  void forget(const std::string& short_id) {
    for (const auto& file :
         value_of(memory_.storage().list(FileType::kSnapshot, testing::soon()))) {
      if (file.name.starts_with(short_id)) memory_.remove({FileType::kSnapshot, file.name});
    }
  }
  // Stores a snapshot under another id, with other tags, as `restic tag` does; returns its short
  // id.
  std::string retag(const std::string& short_id, const std::vector<std::string>& tags) {
    for (const auto& file :
         value_of(memory_.storage().list(FileType::kSnapshot, testing::soon()))) {
      if (!file.name.starts_with(short_id)) continue;
      const SnapshotId id = *SnapshotId::parse(file.name);
      const Snapshot old = value_of(repository_->load_snapshot(id, testing::soon()));
      const std::string time = format_time(old.time, "%Y-%m-%dT%H:%M:%SZ").value();
      memory_.remove({FileType::kSnapshot, file.name});
      return memory_.builder().add_snapshot(*old.tree,
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

TEST_F(RefreshedMount, ShowsNewSnapshotsAndForgetsRemovedOnes) {
  const std::string fresh = add("2026-09-02T03:00:05Z");
  EXPECT_THAT(names({"ids"}), Not(Contains(fresh)));
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), Contains(fresh));
  EXPECT_EQ(value_of(read(lookup({"ids", fresh, "f"}).inode)), "2026-09-02T03:00:05Z");
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), ElementsAre(".", "..", fresh));
}

TEST_F(RefreshedMount, TellsTheKernelWhatToForget) {
  const std::uint64_t snapshots = lookup({"snapshots"}).inode;
  EXPECT_THAT(value_of(mount_->refresh()).directories, IsEmpty());
  add("2026-09-02T03:00:05Z");
  const Mount::Changes changes = value_of(mount_->refresh());
  EXPECT_THAT(changes.directories, Contains(snapshots));
  std::set<std::pair<std::uint64_t, std::string>> gone;
  for (const auto& name : changes.gone) gone.emplace(name.directory, name.name);
  EXPECT_THAT(gone, Contains(std::pair(snapshots, std::string("latest"))));
  EXPECT_THAT(gone, Not(Contains(std::pair(snapshots, std::string("2026-09-01T03-00-05Z")))));
}

TEST_F(RefreshedMount, ShowsANewSnapshotAlsoIfTheFirstTryFailed) {
  const std::string fresh = add("2026-09-02T03:00:05Z");
  fail_once(FileType::kIndex);
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), Contains(fresh));
}

TEST_F(RefreshedMount, ForgetsASnapshotAlsoIfTheFirstTryFailed) {
  forget(snapshot_);
  fail_once(FileType::kIndex);
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), ElementsAre(".", ".."));
}

TEST_F(RefreshedMount, GoesOnWithAListingInTheNamespaceItBeganIn) {
  for (int i = 2; i < 9; ++i) add("2026-09-0" + std::to_string(i) + "T00:00:00Z");
  EXPECT_OK(mount_->refresh());
  const std::uint64_t directory = lookup({"snapshots"}).inode;
  const auto before = names(directory);
  Entries first(4);
  ASSERT_OK(mount_->list(directory, 0, false, first));
  forget(snapshot_);
  add("2026-01-01T00:00:00Z");
  EXPECT_OK(mount_->refresh());
  Entries rest;
  ASSERT_OK(mount_->list(directory, first.next, false, rest));
  first.names.insert(first.names.end(), rest.names.begin(), rest.names.end());
  EXPECT_EQ(first.names, before);
  EXPECT_NE(names(directory), before);
}

TEST_F(RefreshedMount, KeepsServingFilesOfAForgottenSnapshotWhileTheyAreOpen) {
  const std::uint64_t file = in_snapshot("f").inode;
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(value_of(read(file)), "content");
}

TEST_F(RefreshedMount, GoesOnBelowTheOpenRootOfAForgottenSnapshot) {
  const std::uint64_t root = top();
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), ElementsAre(".", ".."));
  EXPECT_THAT(names(root), ElementsAre(".", "..", "f"));
  EXPECT_OK(mount_->attributes(root));
  EXPECT_TRUE(mount_->lasting_absence(root));
  const auto file = value_of(mount_->lookup(root, "f"));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(value_of(read(file->inode)), "content");
  mount_->forget(root, 1);
  EXPECT_THAT(mount_->attributes(root), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(mount_->lookup(root, "f"), FailsWith(ErrorKind::kNotFound));
  EXPECT_EQ(value_of(read(file->inode)), "content");
}

TEST_F(RefreshedMount, KeepsTheInodesOfASnapshotWhoseTagsChange) {
  const std::vector<std::string> path{"snapshots", "2026-09-01T03-00-05Z", "f"};
  const std::uint64_t before = lookup(path).inode;
  retag(snapshot_, {"kept"});
  const Mount::Changes changes = value_of(mount_->refresh());
  EXPECT_EQ(lookup(path).inode, before);
  EXPECT_THAT(names({"tags"}), Contains("kept"));
  const std::uint64_t directory = lookup({"snapshots"}).inode;
  for (const auto& name : changes.gone) EXPECT_NE(name.directory, directory) << name.name;
}

TEST_F(RefreshedMount, ServesEightReadersMeanwhile) {
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 8; ++reader) {
    readers.emplace_back([&, reader] {
      for (int i = reader; !done; ++i) {
        const auto found = lookup({"ids", snapshot_, "f"});
        EXPECT_EQ(value_of(read(found.inode, static_cast<std::uint64_t>(i % 7), 1)),
                  std::string(1, "content"[i % 7]));
        EXPECT_OK(mount_->attributes(found.inode));
        Entries entries(3);
        EXPECT_OK(mount_->list(lookup({"snapshots"}).inode, 0, true, entries));
        static_cast<void>(mount_->figures());
        mount_->forget(found.inode, 1);
      }
    });
  }
  for (int i = 10; i < 30; ++i) {
    const std::string fresh = add("2026-08-" + std::to_string(i) + "T00:00:00Z");
    EXPECT_OK(mount_->refresh());
    if (i % 2 == 0) forget(fresh);
  }
  done = true;
  readers.clear();
  EXPECT_EQ(mount_->known_inodes(), 0U);
}

// --- latest -------------------------------------------------------------------------------------

constexpr const char* kFirstTime = "2026-09-01T03-00-05Z";
constexpr const char* kSecondTime = "2026-09-02T03-00-05Z";

// Processes 10 and 20, and a mount with one snapshot.
class LatestOfMount : public RefreshedMount {
 protected:
  LatestOfMount() {
    MountOptions options;
    options.processes = processes_;
    open(std::move(options));
    processes_->begin(10);
    processes_->begin(20);
  }

  // A link as a thread finds it.
  Result<Mount::Found> find(const std::vector<std::string>& view, pid_t thread) {
    ASSIGN_OR_RETURN(const auto found, mount_->lookup(lookup(view).inode, "latest", thread));
    if (!found) return Error(ErrorKind::kInvalid, "no such name");
    return *found;
  }
  // Where the link leads a thread.
  std::string follow(const std::vector<std::string>& view, pid_t thread) {
    return value_of(mount_->link_target(value_of(find(view, thread)).inode));
  }
  void add_second() {
    add("2026-09-02T03:00:05Z");
    EXPECT_OK(mount_->refresh());
  }

  const std::shared_ptr<testing::FakeProcesses> processes_ =
      std::make_shared<testing::FakeProcesses>();
};

TEST_F(LatestOfMount, IsOneSnapshotForAProcessInEveryView) {
  retag(snapshot_, {"t", "app=a"});
  EXPECT_OK(mount_->refresh());
  const std::vector<std::vector<std::string>> views{
      {"apps", "a"}, {"hosts", "host"}, {"snapshots"}, {"tags", "t"}};
  for (const auto& view : views) EXPECT_EQ(follow(view, 10), kFirstTime);
  memory_.builder().add_snapshot(memory_.builder().add_tree({file_node("f", {data("second")}, 6)}),
                                 {.time = "2026-09-02T03:00:05Z", .tags = {"t", "app=a"}});
  memory_.builder().finish();
  EXPECT_OK(mount_->refresh());
  for (const auto& view : views) {
    EXPECT_EQ(follow(view, 10), kFirstTime) << view.back();
    EXPECT_EQ(follow(view, 20), kSecondTime) << view.back();
    EXPECT_EQ(follow(view, 0), kSecondTime) << view.back();
  }
}

TEST_F(LatestOfMount, IsOneSnapshotForAllThreadsOfAProcess) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  processes_->begin_thread(11, 10);
  EXPECT_EQ(follow({"snapshots"}, 11), kFirstTime);
}

TEST_F(LatestOfMount, IsTheNewestForANumberThatIsUsedAgain) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  processes_->end(10);
  processes_->begin(10);
  EXPECT_EQ(follow({"snapshots"}, 10), kSecondTime);
}

TEST_F(LatestOfMount, MustBeAskedForByEveryProcess) {
  EXPECT_TRUE(value_of(find({"snapshots"}, 10)).by_process);
  EXPECT_TRUE(value_of(find({"snapshots"}, 0)).by_process);
  EXPECT_FALSE(lookup({"snapshots", kFirstTime}).by_process);
  EXPECT_FALSE(lookup({"snapshots"}).by_process);
  EXPECT_FALSE(in_snapshot("f").by_process);
}

TEST_F(LatestOfMount, HasTheSizeAndTimeOfTheLinkThatAProcessReads) {
  follow({"snapshots"}, 10);
  add("2026-09-01T03:00:05.5Z");  // named like the first, with a number behind it
  EXPECT_OK(mount_->refresh());
  const Mount::Found mine = value_of(find({"snapshots"}, 10));
  const Mount::Found newest = value_of(find({"snapshots"}, 20));
  EXPECT_EQ(follow({"snapshots"}, 20), std::string(kFirstTime) + "-1");
  EXPECT_EQ(mine.attributes.st_size, 20);
  EXPECT_EQ(newest.attributes.st_size, 22);
  EXPECT_NE(mine.inode, newest.inode);
  EXPECT_EQ(mine.attributes.st_mtim.tv_nsec, 0);
  EXPECT_EQ(newest.attributes.st_mtim.tv_nsec, 500'000'000);
  EXPECT_EQ(value_of(mount_->attributes(mine.inode)).attributes.st_size, 20);
}

TEST_F(LatestOfMount, ThatTheKernelHoldsCanBeReadWhateverComes) {
  const std::uint64_t inode = value_of(find({"snapshots"}, 10)).inode;
  for (int day = 10; day < 20; ++day) {
    add("2026-09-" + std::to_string(day) + "T03:00:05Z");
    EXPECT_OK(mount_->refresh());
    EXPECT_EQ(value_of(mount_->link_target(inode)), kFirstTime);
    EXPECT_OK(mount_->attributes(inode));
  }
  mount_->forget(inode, 1);
  EXPECT_THAT(mount_->link_target(inode), FailsWith(ErrorKind::kNotFound));
}

TEST_F(LatestOfMount, FollowsASnapshotWhoseTagsChange) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  retag(snapshot_, {"kept"});
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
}

TEST_F(LatestOfMount, FollowsASnapshotWhoseNameChanges) {
  const std::string second = add("2026-09-01T03:00:05.5Z");
  EXPECT_OK(mount_->refresh());
  const std::string before = std::string(kFirstTime) + "-1";
  EXPECT_EQ(follow({"snapshots"}, 10), before);
  const std::uint64_t followed = lookup({"snapshots", before}).inode;
  // The third takes over the second's name when the first goes.
  add("2026-09-01T03:00:05.7Z");
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 20), before);
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  EXPECT_EQ(lookup({"snapshots", kFirstTime}).inode, followed);
}

TEST_F(LatestOfMount, NamesASnapshotThatWasForgottenMeanwhile) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  EXPECT_FALSE(value_of(try_lookup({"snapshots", kFirstTime})).has_value());
  EXPECT_EQ(follow({"snapshots"}, 20), kSecondTime);
}

TEST_F(LatestOfMount, NeverLeadsIntoAnotherSnapshotThatHasTakenTheName) {
  const std::string second = add("2026-09-01T03:00:05.5Z");
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 10), std::string(kFirstTime) + "-1");
  add("2026-09-01T03:00:05.7Z");
  forget(second);
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(find({"snapshots"}, 10), FailsWith(ErrorKind::kNotFound));
  EXPECT_EQ(follow({"snapshots"}, 20), std::string(kFirstTime) + "-1");
}

TEST_F(LatestOfMount, LeavesNothingBehindOnceTheKernelHasForgotten) {
  const Mount::Found mine = value_of(find({"snapshots"}, 10));
  add_second();
  const Mount::Found newest = value_of(find({"snapshots"}, 20));
  EXPECT_EQ(mount_->known_nodes(), 2U);
  mount_->forget(mine.inode, 1);
  mount_->forget(newest.inode, 1);
  EXPECT_EQ(mount_->known_nodes(), 0U);
}

}  // namespace
}  // namespace restree
