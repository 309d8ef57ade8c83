// A mount of a damaged repository gives errors for the damaged bytes, and nothing else changes. What every
// program says of each kind of damage: damage_kinds_test.cc.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <sstream>

#include "repo/base/unique_fd.h"
#include "tests/support/blob_map.h"
#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/restic.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::uint64_t kPage = 4096;

struct DamagedPages {
  std::vector<std::uint64_t> failing;  // offsets of pages that gave EIO
  std::vector<std::string> wrong;      // everything that is neither EIO nor the right bytes
};

// Reads page by page, without read-ahead, so that an error is not blamed on its neighbours.
DamagedPages read_pages(const fs::path& shown, const fs::path& source) {
  DamagedPages result;
  const std::string expected = read_file(source);
  const UniqueFd fd(::open(shown.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return {.failing = {}, .wrong = {"cannot be opened"}};
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM);
  std::string page(kPage, '\0');
  for (std::uint64_t offset = 0; offset < expected.size(); offset += kPage) {
    const ssize_t count = ::pread(fd.get(), page.data(), kPage, static_cast<off_t>(offset));
    const std::string at = std::to_string(offset);
    if (count < 0 && errno == EIO) {
      result.failing.push_back(offset);
    } else if (count < 0) {
      result.wrong.push_back(at + ": errno " + std::to_string(errno));
    } else if (page.substr(0, static_cast<std::size_t>(count)) != expected.substr(offset, kPage)) {
      result.wrong.push_back(at + ": wrong bytes");
    }
  }
  return result;
}

std::vector<std::uint64_t> pages_of(const BlobPlace& chunk) {
  std::vector<std::uint64_t> pages;
  for (std::uint64_t page = chunk.file_offset / kPage * kPage;
       page < chunk.file_offset + chunk.plain_length; page += kPage) {
    pages.push_back(page);
  }
  return pages;
}

std::vector<std::string> lines_with(const std::string& text, const std::string& word) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.find(word) != std::string::npos) lines.push_back(line);
  }
  return lines;
}

// app=a: folders one/ and two/, each backed up on its own first, so that their data and trees lie
// in packs and indexes of their own.
class Damage : public ::testing::Test {
 protected:
  // All tests damage copies of one repository.
  static void SetUpTestSuite() {
    shared_ = std::make_unique<Shared>();
    const fs::path source = shared_->source;
    fs::create_directories(source / "one/inner");
    fs::create_directories(source / "two");
    // More than two chunks of the largest size: three at least, whatever the polynomial.
    write_random_file(source / "one/chunky file", 1, 17 * kMiB);
    write_file(source / "one/inner/small", "a small file");
    write_random_file(source / "two/other", 2, 3 * kMiB);
    const Restic& restic = shared_->restic;
    restic.init();
    // All in one pack.
    shared_->one =
        restic.backup({"--pack-size", "64", "--tag", "app=one", (source / "one").string()});
    restic.backup({"--tag", "app=two", (source / "two").string()});
    shared_->chunks = chunks_of(restic, shared_->one, source / "one/chunky file");
    shared_->inner = tree_of(restic, shared_->one, source / "one/inner");
  }
  static void TearDownTestSuite() { shared_.reset(); }

  void SetUp() override {
    ASSERT_GE(chunks_.size(), 3U);
    fs::copy(shared_->restic.repository(), restic_.repository(), fs::copy_options::recursive);
    for (BlobPlace& chunk : chunks_) chunk.pack_path = in_copy(chunk.pack_path);
    inner_.pack_path = in_copy(inner_.pack_path);
  }

  fs::path in_copy(const fs::path& path) const {
    return restic_.repository() / path.lexically_relative(shared_->restic.repository());
  }
  fs::path one(const Mounted& mounted) const { return mounted / "apps/one/latest"; }
  fs::path two(const Mounted& mounted) const { return mounted / "apps/two/latest"; }
  void expect_two_is_whole(const Mounted& mounted) const {
    EXPECT_EQ(differences(two(mounted), source_ / "two"), "");
  }

 private:
  struct Shared {
    TempDir dir;
    fs::path source = dir.path() / "source";
    Restic restic{dir.path() / "home"};
    std::string one;
    std::vector<BlobPlace> chunks;
    BlobPlace inner;
  };
  static std::unique_ptr<Shared> shared_;

 protected:
  TempDir dir_;
  Restic restic_{make_home(dir_)};
  const fs::path source_ = shared_->source;
  const std::string one_ = shared_->one;
  std::vector<BlobPlace> chunks_ = shared_->chunks;
  BlobPlace inner_ = shared_->inner;

 private:
  static fs::path make_home(const TempDir& dir) {
    fs::create_directories(dir.path() / "home");
    return dir.path() / "home";
  }
};
std::unique_ptr<Damage::Shared> Damage::shared_;

TEST_F(Damage, AFlippedByteInADataPackFailsTheBytesOfOneBlob) {
  const BlobPlace& chunk = chunks_[1];
  flip_byte(chunk.pack_path, chunk.pack_offset + 1000);
  const Mounted mounted(restic_);
  const DamagedPages pages = read_pages(one(mounted) / "chunky file", source_ / "one/chunky file");
  EXPECT_EQ(pages.failing, pages_of(chunk));
  EXPECT_THAT(pages.wrong, ElementsAre());
  EXPECT_EQ(read_file(one(mounted) / "inner/small"), "a small file");
  expect_two_is_whole(mounted);
}

TEST_F(Damage, OneLogLineSaysWhatIsDamagedAndWhere) {
  const BlobPlace& chunk = chunks_[1];
  flip_byte(chunk.pack_path, chunk.pack_offset + 1000);
  const Mounted mounted(restic_);
  read_pages(one(mounted) / "chunky file", source_ / "one/chunky file");
  read_pages(one(mounted) / "chunky file", source_ / "one/chunky file");
  const auto lines = lines_with(mounted.log(), chunk.id.short_hex());
  ASSERT_THAT(lines, SizeIs(1)) << mounted.log();
  EXPECT_THAT(lines[0],
              AllOf(HasSubstr(one_), HasSubstr("chunky file"), HasSubstr(chunk.pack.short_hex()),
                    HasSubstr(std::to_string(chunk.file_offset))));
}

TEST_F(Damage, CpStopsWithAnErrorNotWithWrongBytes) {
  flip_byte(chunks_[1].pack_path, chunks_[1].pack_offset + 1000);
  const Mounted mounted(restic_);
  const fs::path copy = dir_.path() / "copy";
  const Finished cp = run({.argv = {"cp", (one(mounted) / "chunky file").string(), copy.string()}});
  EXPECT_EQ(cp.exit_code, 1);
  EXPECT_THAT(cp.err, HasSubstr("Input/output error"));
  const std::string got = read_file(copy);
  EXPECT_LE(got.size(), chunks_[2].file_offset);
  EXPECT_TRUE(got == read_file(source_ / "one/chunky file").substr(0, got.size()));
}

TEST_F(Damage, DamageThatIsRepairedIsReadAgain) {
  flip_byte(chunks_[1].pack_path, chunks_[1].pack_offset + 1000);
  const Mounted mounted(restic_);
  ASSERT_EQ(errno_of_reading(one(mounted) / "chunky file"), EIO);
  flip_byte(chunks_[1].pack_path, chunks_[1].pack_offset + 1000);
  // Damage may be remembered for a moment, so that not each page's read finds it out anew.
  EXPECT_TRUE(holds_within(std::chrono::seconds(15),
                           [&] { return errno_of_reading(one(mounted) / "chunky file") == 0; }));
  EXPECT_EQ(differences(one(mounted), source_ / "one"), "");
}

TEST_F(Damage, AFlippedByteInATreePackFailsOneFolder) {
  const BlobPlace& inner = inner_;
  flip_byte(inner.pack_path, inner.pack_offset + 40);
  const Mounted mounted(restic_);
  EXPECT_THAT(names_in(one(mounted) / ""), ElementsAre("chunky file", "inner"));
  EXPECT_EQ(errno_of_reading(one(mounted) / "inner/small"), EIO);
  EXPECT_THROW(
      try { names_in(one(mounted) / "inner"); } catch (const std::system_error& error) {
        EXPECT_EQ(error.code().value(), EIO);
        throw;
      },
      std::system_error);
  EXPECT_EQ(errno_of_reading(one(mounted) / "chunky file"), 0);
  expect_two_is_whole(mounted);
  const auto lines = lines_with(mounted.log(), inner.id.short_hex());
  ASSERT_THAT(lines, SizeIs(1)) << mounted.log();
  EXPECT_THAT(lines[0],
              AllOf(HasSubstr(one_), HasSubstr("inner"), HasSubstr(inner.pack.short_hex())));
}

TEST_F(Damage, ATruncatedPackFailsTheBlobsBeyondItsEnd) {
  const BlobPlace& chunk = chunks_.back();
  fs::permissions(chunk.pack_path, fs::perms(0600));
  fs::resize_file(chunk.pack_path, chunk.pack_offset + 100);
  std::vector<std::uint64_t> expected;
  for (const BlobPlace& each : chunks_) {
    if (each.pack_offset < chunk.pack_offset) continue;
    for (const std::uint64_t page : pages_of(each)) {
      if (expected.empty() || expected.back() < page) expected.push_back(page);
    }
  }
  const Mounted mounted(restic_);
  const DamagedPages pages = read_pages(one(mounted) / "chunky file", source_ / "one/chunky file");
  EXPECT_EQ(pages.failing, expected);
  EXPECT_THAT(pages.wrong, ElementsAre());
  expect_two_is_whole(mounted);
}

TEST_F(Damage, AMissingPackFailsItsFilesAndLeavesTheirAttributes) {
  fs::remove(chunks_[0].pack_path);
  const Mounted mounted(restic_);
  EXPECT_EQ(errno_of_reading(one(mounted) / "chunky file"), EIO);
  EXPECT_EQ(stat_differences(one(mounted) / "", source_ / "one"), "");
  expect_two_is_whole(mounted);
  EXPECT_THAT(lines_with(mounted.log(), chunks_[0].pack.short_hex()), Not(SizeIs(0)));
}

TEST_F(Damage, APackThatComesBackIsRead) {
  const fs::path aside = dir_.path() / "aside";
  fs::rename(chunks_[0].pack_path, aside);
  const Mounted mounted(restic_);
  ASSERT_EQ(errno_of_reading(one(mounted) / "chunky file"), EIO);
  fs::rename(aside, chunks_[0].pack_path);
  EXPECT_TRUE(holds_within(std::chrono::seconds(15),
                           [&] { return errno_of_reading(one(mounted) / "chunky file") == 0; }));
  EXPECT_EQ(differences(one(mounted), source_ / "one"), "");
}

// --- Repositories that are copied by half
// ---------------------------------------------------------

TEST_F(Damage, WithoutAnyPackTheSnapshotsAreStillListed) {
  fs::remove_all(restic_.repository() / "data");
  const Mounted mounted(restic_);
  EXPECT_THAT(names_in(mounted / "apps"), ElementsAre("one", "two"));
  EXPECT_EQ(errno_of_reading(one(mounted) / "chunky file"), EIO);
  EXPECT_EQ(errno_of_reading(two(mounted) / "other"), EIO);
}

TEST_F(Damage, WithoutSnapshotsTheViewsAreEmpty) {
  fs::remove_all(restic_.repository() / "snapshots");
  const Mounted mounted(restic_);
  EXPECT_THAT(names_in(mounted / "apps"), ElementsAre());
}

// --- Failures before there is a mount
// ------------------------------------------------------------

TEST_F(Damage, AWrongPasswordIsExitCode12) {
  MountRequest request = mount_of(restic_);
  request.env = {{"RESTIC_PASSWORD", "wrong"}};
  const Finished refused = try_mount(request);
  EXPECT_EQ(refused.exit_code, 12) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("password"));
}

TEST_F(Damage, NoRepositoryIsExitCode10) {
  fs::create_directories(dir_.path() / "empty");
  for (const char* name : {"empty", "nowhere"}) {
    MountRequest request = mount_of(restic_);
    request.location = (dir_.path() / name).string();
    const Finished refused = try_mount(request);
    EXPECT_EQ(refused.exit_code, 10) << refused.report();
    EXPECT_THAT(refused.err, HasSubstr(name));
  }
}

}  // namespace
}  // namespace restree::testing
