// Repositories that have lost index files, or whose index says what is not so: mounts and commands find
// everything by the headers of packs, locally and over SFTP, in what restic has written and in our own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/format/index_file.h"
#include "repo/repository.h"
#include "repo/storage/local_storage.h"
#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/need.h"
#include "tests/support/password.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Packs = std::vector<IndexedPack>;
using Strings = std::vector<std::string>;

enum class Writer { kRestic, kRestree };

// Changes what the first data blob of an index file is said to be; `other` is another pack.
struct Lie {
  std::string name;
  std::function<void(Packs& packs, IndexedPack& pack, IndexedPack& other)> tell;
};

std::vector<Lie> lies() {
  return {
      {"AWrongOffset", [](Packs&, IndexedPack& pack, IndexedPack&) { pack.blobs[0].offset += 16; }},
      {"AWrongLength", [](Packs&, IndexedPack& pack, IndexedPack&) { pack.blobs[0].length -= 5; }},
      {"AWrongSize",
       [](Packs&, IndexedPack& pack, IndexedPack&) { pack.blobs[0].raw_length += 7; }},
      {"AWrongType",
       [](Packs&, IndexedPack& pack, IndexedPack&) { pack.blobs[0].type = BlobType::kTree; }},
      {"AWrongPack",
       [](Packs&, IndexedPack& pack, IndexedPack& other) {
         other.blobs.push_back(pack.blobs[0]);
         pack.blobs.erase(pack.blobs.begin());
       }},
      {"TwoPacksForEachOther",
       [](Packs&, IndexedPack& pack, IndexedPack& other) { std::swap(pack.id, other.id); }},
      {"APackThatIsNotThere",
       [](Packs&, IndexedPack& pack, IndexedPack&) { pack.id.bytes.fill(std::byte{0x5a}); }},
      {"AllInOnePack",
       [](Packs& packs, IndexedPack& pack, IndexedPack&) {
         for (IndexedPack& each : packs) {
           if (each.id != pack.id) {
             pack.blobs.insert(pack.blobs.end(), each.blobs.begin(), each.blobs.end());
           }
         }
         packs = {pack};
       }},
  };
}

class LostIndex : public ::testing::TestWithParam<Writer> {
 protected:
  static void SetUpTestSuite() { made_ = std::make_unique<TempDir>(); }
  static void TearDownTestSuite() { made_.reset(); }

  LostIndex() {
    if (!fs::exists(whole())) make(whole());
    copy_whole();
  }

  static fs::path made_by_writer() {
    return made_->path() / (GetParam() == Writer::kRestic ? "restic" : "restree");
  }
  static fs::path app() { return made_by_writer() / "app"; }
  static fs::path whole() { return made_by_writer() / "home"; }
  void copy_whole() const { fs::copy(whole(), dir_.path() / "home", fs::copy_options::recursive); }
  // Two backups, so that there are two index files.
  static void make(const fs::path& home) {
    const Restic restic(home);
    fs::create_directories(home);
    restic.init();
    fs::create_directories(app() / "small" / "deep");
    for (int i = 0; i < 30; ++i) {
      write_random_file(app() / "small" / std::to_string(i), static_cast<std::uint64_t>(i), 9'000);
    }
    write_random_file(app() / "large", 5, 12 * kMiB);
    back_up(restic);
    write_random_file(app() / "later", 6, 3 * kMiB);
    write_file(app() / "small" / "deep" / "file", "deep");
    back_up(restic);
  }
  static void back_up(const Restic& restic) {
    const Strings words{"backup", "--pack-size", "4", "app"};
    if (GetParam() == Writer::kRestic) {
      restic.run_ok(words, made_by_writer());
      return;
    }
    Command command = RestreeProgram(restic).command(words);
    command.folder = made_by_writer();
    run_ok(command);
  }

  std::vector<fs::path> index_files() const {
    std::vector<fs::path> files = files_below(restic_.repository() / "index");
    std::ranges::sort(files);
    return files;
  }
  void lose_index() const {
    for (const fs::path& file : index_files()) fs::remove(file);
  }
  // In the index file that names most packs.
  void tell(const Lie& lie) const {
    const Deadline by = Deadline::after(std::chrono::seconds(60));
    const auto repository = need(Repository::open(make_local_storage(restic_.repository().string()),
                                                  Secret(std::string(kPassword)), "", by));
    Packs packs;
    for (const fs::path& file : index_files()) {
      const Bytes json =
          need(repository->load_unpacked({FileType::kIndex, file.filename().string()}, by));
      need(parse_index_file(json, [&](const PackId& pack, std::span<const IndexedBlob> blobs) {
        packs.push_back({pack, {blobs.begin(), blobs.end()}});
      }));
    }
    const auto has_data = [](const IndexedPack& pack) {
      return pack.blobs.front().type == BlobType::kData;
    };
    const auto first = std::ranges::find_if(packs, has_data);
    const auto second = std::find_if(first + 1, packs.end(), has_data);
    ASSERT_TRUE(second != packs.end());
    lie.tell(packs, *first, *second);
    std::erase_if(packs, [](const IndexedPack& pack) { return pack.blobs.empty(); });
    lose_index();
    need(repository->save_unpacked(FileType::kIndex, as_bytes(write_index_file(packs)), by));
  }

  static fs::path shown(const Mounted& mounted) { return mounted / "snapshots/latest/app"; }
  void expect_mount_is_whole(Strings options = {}) const {
    const Mounted mounted(restic_, std::move(options));
    EXPECT_EQ(differences(shown(mounted), app()), "") << mounted.log();
  }
  // `extra`: options of each command.
  void expect_commands_work(const RestreeProgram& restree, const Strings& extra = {}) const {
    const auto run = [&](Strings words) {
      words.insert(words.end(), extra.begin(), extra.end());
      Finished finished = restree.run(words);
      EXPECT_TRUE(finished.ok()) << finished.report();
      return finished;
    };
    run({"restore", "latest", "--target", (dir_.path() / "target").string()});
    EXPECT_EQ(differences(dir_.path() / "target" / "app", app()), "");
    EXPECT_TRUE(run({"dump", "latest", "/app/large"}).out == read_file(app() / "large"));
    EXPECT_THAT(run({"ls", "latest"}).out, HasSubstr("small/deep/file\n"));
    EXPECT_THAT(run({"find", "deep"}).out, HasSubstr("small/deep\n"));
  }

  static inline std::unique_ptr<TempDir> made_;
  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
};

TEST_P(LostIndex, WithoutAnyIndexFileAMountShowsEverything) {
  lose_index();
  const Mounted mounted(restic_);
  EXPECT_EQ(differences(shown(mounted), app()), "");
  EXPECT_THAT(mounted.log(), HasSubstr("`restree repair index`"));
}

TEST_P(LostIndex, WithoutAnyIndexFileCommandsWorkAndSayOnceWhatMends) {
  lose_index();
  const RestreeProgram restree(restic_);
  expect_commands_work(restree);
  const Finished listed = restree.run({"ls", "latest"});
  const auto said = listed.err.find("`restree repair index`");
  EXPECT_NE(said, std::string::npos) << listed.report();
  EXPECT_EQ(listed.err.find("`restree repair index`", said + 1), std::string::npos) << listed.err;
}

TEST_P(LostIndex, WithoutAnyIndexFileCheckSaysSo) {
  lose_index();
  const Finished checked = RestreeProgram(restic_).run({"check"});
  EXPECT_EQ(checked.exit_code, 1) << checked.report();
  EXPECT_THAT(checked.err, HasSubstr("restree repair index"));
}

TEST_P(LostIndex, TheFolderOfIndexFilesMayBeGoneAsWell) {
  fs::remove_all(restic_.repository() / "index");
  expect_mount_is_whole();
}

TEST_P(LostIndex, AnyOneIndexFileMayBeGoneOrDamaged) {
  for (const fs::path& file : index_files()) {
    const std::string content = read_file(file);
    fs::remove(file);
    expect_mount_is_whole();
    std::string flipped = content;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
    write_file(file, flipped);
    expect_mount_is_whole();
    write_file(file, content);
  }
}

TEST_P(LostIndex, AllIsFoundOverSftp) {
  lose_index();
  const Sshd sshd;
  {
    const Mounted mounted(mount_over_ssh(restic_, sshd, SshTransport::kBuiltIn));
    EXPECT_EQ(differences(shown(mounted), app()), "") << mounted.log();
  }
  expect_commands_work(RestreeProgram(restic_, sshd));
}

TEST_P(LostIndex, AnIndexThatLiesCostsNoFile) {
  for (const Lie& lie : lies()) {
    SCOPED_TRACE(lie.name);
    tell(lie);
    expect_mount_is_whole();
    expect_commands_work(RestreeProgram(restic_));
    fs::remove_all(dir_.path() / "home");
    fs::remove_all(dir_.path() / "target");
    copy_whole();
  }
}

TEST_P(LostIndex, WithIndexPacksNoIndexFileIsBelieved) {
  tell(lies().back());
  {
    const Mounted mounted(restic_, {"index=packs"});
    EXPECT_EQ(differences(shown(mounted), app()), "");
    EXPECT_THAT(mounted.log(), Not(HasSubstr("wrong"))) << mounted.log();
  }
  expect_commands_work(RestreeProgram(restic_), {"--index", "packs"});
}

TEST_P(LostIndex, AWholeIndexLeavesNothingToSay) {
  {
    const Mounted mounted(restic_);
    EXPECT_EQ(differences(shown(mounted), app()), "");
    EXPECT_THAT(mounted.log(), IsEmpty());
  }
  const Finished listed = RestreeProgram(restic_).run({"ls", "latest"});
  EXPECT_THAT(listed.err, IsEmpty());
}

std::string name_of(const ::testing::TestParamInfo<Writer>& writer) {
  return writer.param == Writer::kRestic ? "OfRestic" : "OfRestree";
}

INSTANTIATE_TEST_SUITE_P(All, LostIndex, ::testing::Values(Writer::kRestic, Writer::kRestree),
                         name_of);

}  // namespace
}  // namespace restree::testing
