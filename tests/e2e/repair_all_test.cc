// `restree repair plan` and `restree repair all` on repositories that the real restic has made, damaged in
// every way: restic finds them whole afterwards, and restores all that could be saved.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <regex>
#include <string>
#include <vector>

#include "repo/crypto/secret.h"
#include "repo/crypto/sha256.h"
#include "repo/repository.h"
#include "repo/storage/local_storage.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/programs.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
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
using Paths = std::vector<fs::path>;
using Strings = std::vector<std::string>;

fs::path largest(const fs::path& repository, const std::string& folder) {
  Paths files = stored_in(repository, folder);
  for (fs::path& one : files) one = repository / one;
  return *std::ranges::max_element(files, {},
                                   [](const fs::path& one) { return fs::file_size(one); });
}

fs::path smallest(const fs::path& repository, const std::string& folder) {
  Paths files = stored_in(repository, folder);
  for (fs::path& one : files) one = repository / one;
  return *std::ranges::min_element(files, {},
                                   [](const fs::path& one) { return fs::file_size(one); });
}

void flip_middle(const fs::path& file) { flip_byte(file, fs::file_size(file) / 2); }

void cut_in_half(const fs::path& file) {
  fs::permissions(file, fs::perms::owner_all);
  fs::resize_file(file, fs::file_size(file) / 2);
}

// Writes an index file anew which says that its first blob lies a byte further than it does.
void make_index_lie(const fs::path& root) {
  const auto repository = value_of(Repository::open(
      make_local_storage(root.string()), Secret(std::string(kPassword)), "", Deadline::never()));
  const FileName file{FileType::kIndex, largest(root, "index").filename().string()};
  const Bytes json = value_of(repository->load_unpacked(file, Deadline::never()));
  const std::string lie =
      std::regex_replace(std::string(as_text(json.view())), std::regex(R"("offset":0)"),
                         R"("offset":1)", std::regex_constants::format_first_only);
  value_of(repository->save_unpacked(FileType::kIndex, as_bytes(lie), Deadline::never()));
  ASSERT_OK(repository->storage().remove(file, Deadline::never()));
}

struct Kind {
  std::string name;
  std::function<void(const fs::path& repository)> damage;
  std::string first_step;       // of the plan
  bool loses_something = true;  // without a second repository
  bool removes_something = true;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

const std::vector<Kind>& kinds() {
  const std::string index = "1. Make the index agree with the packs: ";
  const std::string packs = "1. Save what is whole in damaged packs";
  static const std::vector<Kind> all = {
      {"MissingPack", [](const fs::path& r) { fs::remove(largest(r, "data")); }, index},
      {"MissingPackOfTrees", [](const fs::path& r) { fs::remove(smallest(r, "data")); }, index},
      {"TruncatedPack", [](const fs::path& r) { cut_in_half(largest(r, "data")); }, packs},
      {"FlippedPack", [](const fs::path& r) { flip_middle(largest(r, "data")); }, packs},
      {"FlippedPackOfTrees", [](const fs::path& r) { flip_byte(smallest(r, "data"), 20); }, packs},
      {"MissingIndex", [](const fs::path& r) { fs::remove(largest(r, "index")); }, index, false,
       false},
      {"FlippedIndex", [](const fs::path& r) { flip_middle(largest(r, "index")); }, index, false},
      {"IndexThatLies", make_index_lie, index, false},
      {"FlippedSnapshot", [](const fs::path& r) { flip_middle(largest(r, "snapshots")); },
       "1. Remove snapshot files that cannot be read"},
  };
  return all;
}

class RepairAllFixture : public ::testing::Test {
 protected:
  static constexpr int kSnapshots = 3;

  // Each snapshot has the files of the one before, and one more.
  RepairAllFixture() {
    restic_.init();
    fs::create_directories(source_ / "folder");
    for (std::uint64_t i = 0; i < kSnapshots; ++i) {
      write_random_file(source_ / "folder" / std::to_string(i), i, 2 * kMiB);
      write_file(source_ / ("small" + std::to_string(i)), "small " + std::to_string(i));
      restic_.backup({source_.string(), "--host", "h"});
    }
  }
  Command repair_command(Strings words, const Restic* second) const {
    words.insert(words.begin(), "repair");
    if (second != nullptr) {
      words.insert(words.end(), {"--from-repo", second->repository().string()});
    }
    Command command = RestreeProgram(restic_).command(std::move(words));
    command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
    return command;
  }
  Finished repair(Strings words, const Restic* second = nullptr) const {
    return run(repair_command(std::move(words), second));
  }
  // A second repository with a key of its own, and a copy of all snapshots.
  Restic copy() const {
    Restic second(dir_.path() / "second");
    second.init_slowly();
    Command command =
        RestreeProgram(second).command({"copy", "--from-repo", restic_.repository().string()});
    command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
    run_ok(command);
    return second;
  }
  // Restores all snapshots. Each file that is there, and that `said` does not name as lost, is what it
  // was; returns how many are.
  int restored_right(const std::string& said) const {
    int right = 0;
    int number = 0;
    for (const fs::path& snapshot : stored_in(restic_.repository(), "snapshots")) {
      const fs::path into = dir_.path() / ("restored" + std::to_string(++number));
      restic_.restore(snapshot.filename().string(), into);
      for (const fs::path& file : files_below(into)) {
        const fs::path original = "/" / file.lexically_relative(into);
        if (said.find(original.string()) != std::string::npos) continue;
        EXPECT_EQ(read_file(file), read_file(original)) << original;
        ++right;
      }
    }
    return right;
  }
  std::size_t snapshots() const { return stored_in(restic_.repository(), "snapshots").size(); }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  const fs::path source_ = dir_.path() / "source";
};

class RepairAll : public RepairAllFixture, public ::testing::WithParamInterface<Kind> {};

TEST_P(RepairAll, ThePlanNamesTheFirstStepAndChangesNothing) {
  GetParam().damage(restic_.repository());
  const Paths before = files_below(restic_.repository());
  const Finished plan = repair({"plan", "--read-data"});
  EXPECT_EQ(plan.exit_code, 1) << plan.report();
  EXPECT_THAT(plan.out, HasSubstr("\n" + GetParam().first_step)) << plan.report();
  EXPECT_EQ(files_below(restic_.repository()), before);
}

TEST_P(RepairAll, ResticFindsAllWholeAfterwardsAndRestoresWhatWasSaved) {
  GetParam().damage(restic_.repository());
  const Finished done = repair({"all", "--read-data"});
  EXPECT_EQ(done.exit_code, GetParam().loses_something ? 1 : 0) << done.report();
  restic_.run_ok({"check", "--read-data"});
  EXPECT_GE(restored_right(done.out), 2);
  // The folder of what was removed is in nobody's way.
  EXPECT_EQ(fs::exists(restic_.repository() / "quarantine"), GetParam().removes_something);
  restic_.prune();
  restic_.run_ok({"check", "--read-data"});
  EXPECT_THAT(repair({"quarantine"}).out, HasSubstr(" files, "));
}

TEST_P(RepairAll, WithASecondRepositoryNothingIsLost) {
  const Restic second = copy();
  GetParam().damage(restic_.repository());
  const Finished done = repair({"all", "--read-data"}, &second);
  restic_.run_ok({"check", "--read-data"});
  EXPECT_EQ(done.exit_code, 0) << done.report();
  EXPECT_THAT(done.out, HasSubstr("\nThe repository is whole again. Nothing is lost.\n"));
  EXPECT_EQ(snapshots(), std::size_t{kSnapshots});
  // Two files in the first snapshot, four in the second, six in the third.
  EXPECT_EQ(restored_right(""), 12);
}

INSTANTIATE_TEST_SUITE_P(Damage, RepairAll, ::testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

class Quarantine : public ::testing::TestWithParam<std::string> {};

TEST_P(Quarantine, IsNothingThatResticLooksAt) {
  const TempDir dir;
  const Restic restic(dir.path() / "home", GetParam());
  restic.init();
  write_random_file(dir.path() / "f", 1, kMiB);
  restic.backup({(dir.path() / "f").string()});
  const fs::path index = largest(restic.repository(), "index");
  flip_middle(index);
  const std::string damaged = read_file(index);
  EXPECT_EQ(RestreeProgram(restic).run({"repair", "all"}).exit_code, 0);
  const fs::path kept = restic.repository() / "quarantine" / "index" / index.filename();
  EXPECT_EQ(read_file(kept), damaged);
  restic.run_ok({"check", "--read-data"});
  restic.backup({"--force", (dir.path() / "f").string()});
  restic.prune();
  restic.run_ok({"check", "--read-data"});
  EXPECT_TRUE(fs::exists(kept));
  EXPECT_EQ(RestreeProgram(restic).run({"repair", "quarantine", "--remove"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(kept));
  restic.run_ok({"check", "--read-data"});
}

INSTANTIATE_TEST_SUITE_P(Restic, Quarantine, ::testing::ValuesIn(all_restics()), restic_name);

TEST(QuarantineOnAServer, IsAFolderOfTheRepositoryThere) {
  const TempDir dir;
  const Restic restic(dir.path() / "home");
  restic.init();
  write_random_file(dir.path() / "f", 1, kMiB);
  restic.backup({(dir.path() / "f").string()});
  const Sshd sshd;
  const RestreeProgram far(restic, sshd);
  const fs::path pack = largest(restic.repository(), "data");
  flip_middle(pack);
  const std::string damaged = read_file(pack);
  const Finished done = far.run({"repair", "all", "--read-data"});
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_EQ(read_file(restic.repository() / "quarantine" / fs::relative(pack, restic.repository())),
            damaged);
  restic.run_ok({"check", "--read-data"});
  EXPECT_THAT(far.run({"repair", "quarantine"}).out, HasSubstr(pack.filename().string()));
  EXPECT_EQ(far.run({"repair", "quarantine", "--remove"}).exit_code, 0);
  EXPECT_THAT(stored_in(restic.repository() / "quarantine", "data"), IsEmpty());
}

// Whoever can only add files can add some that no program can read.
TEST(RepairOfStrays, FilesThatNobodyCanReadAreTakenAway) {
  const TempDir dir;
  const Restic restic(dir.path() / "home");
  restic.init();
  write_random_file(dir.path() / "f", 1, kMiB);
  restic.backup({(dir.path() / "f").string()});
  for (const char* folder : {"index", "snapshots"}) {
    for (const std::uint64_t size : {0U, 10U, 200U}) {
      const std::string content = random_bytes(size, size);
      write_file(restic.repository() / folder / to_hex(sha256(as_bytes(content))), content);
    }
  }
  EXPECT_NE(restic.run({"check"}).exit_code, 0);
  // It may end in the middle.
  restic.run_ok({"unlock", "--remove-all"});
  const Finished done = RestreeProgram(restic).run({"repair", "all"});
  EXPECT_EQ(done.exit_code, 1) << "a snapshot may have been in them";
  EXPECT_THAT(done.out, HasSubstr("\nSnapshots whose files could not be read, and were removed:"));
  restic.run_ok({"check", "--read-data"});
  EXPECT_EQ(stored_in(restic.repository(), "snapshots").size(), 1U);
  EXPECT_EQ(stored_in(restic.repository() / "quarantine", "snapshots").size(), 3U);
  EXPECT_EQ(stored_in(restic.repository() / "quarantine", "index").size(), 3U);
}

TEST_F(RepairAllFixture, KilledAtAnyMomentTheNextRunDoesTheRest) {
  const Restic second = copy();
  fs::remove(largest(restic_.repository(), "data"));
  cut_in_half(largest(restic_.repository(), "data"));
  for (const char* folder : {"index", "data", "quarantine", "data"}) {
    const Paths before = files_below(restic_.repository() / folder);
    // Slow enough for the moment to be met.
    Process process =
        Process::start(repair_command({"all", "--read-data", "--limit-upload", "300"}, &second));
    holds_within(std::chrono::seconds(patient(60)), [&] {
      return files_below(restic_.repository() / folder) != before || !process.running();
    });
    process.signal(SIGKILL);
    process.wait(std::chrono::seconds(60));
    restic_.run_ok({"unlock", "--remove-all"});
    second.run_ok({"unlock", "--remove-all"});
  }
  const Finished rest = repair({"all", "--read-data"}, &second);
  EXPECT_EQ(rest.exit_code, 0) << rest.report();
  restic_.run_ok({"check", "--read-data"});
  EXPECT_EQ(snapshots(), std::size_t{kSnapshots});
  EXPECT_EQ(restored_right(""), 12);
}

// Not one after the other: the index, a pack, a snapshot, and then the second repository's help.
TEST(RepairOfEverything, AtOnceNeedsOneCall) {
  const TempDir dir;
  const Restic restic(dir.path() / "home");
  restic.init();
  const fs::path file = dir.path() / "f";
  for (std::uint64_t i = 0; i < 3; ++i) {
    write_random_file(file, i, 2 * kMiB);
    restic.backup({file.string()});
  }
  flip_middle(largest(restic.repository(), "index"));
  flip_middle(largest(restic.repository(), "data"));
  flip_middle(largest(restic.repository(), "snapshots"));
  const Finished done = RestreeProgram(restic).run({"repair", "all", "--read-data"});
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_THAT(done.err, HasSubstr("is lost")) << done.report();
  restic.run_ok({"check", "--read-data"});
  EXPECT_THAT(stored_in(restic.repository() / "quarantine", "data"), Not(IsEmpty()));
  EXPECT_THAT(stored_in(restic.repository() / "quarantine", "index"), Not(IsEmpty()));
  EXPECT_THAT(stored_in(restic.repository() / "quarantine", "snapshots"), Not(IsEmpty()));
}

}  // namespace
}  // namespace restree::testing
