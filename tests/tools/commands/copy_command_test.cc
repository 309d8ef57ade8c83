// restree copy
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "repo/repository.h"
#include "tests/support/environment.h"
#include "tests/support/locks.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::Outcome;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using testing::value_of;

// Snapshots of hosts a and b, tagged with their hosts' names, at the location "source".
class Copy : public ::testing::Test {
 protected:
  Copy() {
    runner_.put("source", source_files_);
    data_ = source_.add_data("content");
    const BlobId tree = source_.add_tree({testing::file_node("f", {data_}, 7)});
    a_ = source_.add_snapshot(tree, {.time = "2026-09-01T03:00:05.5+02:00",
                                     .paths = {"/srv", "/etc"},
                                     .tags = {"a"},
                                     .hostname = "a"});
    b_ = source_.add_snapshot(source_.add_tree({}),
                              {.time = "2026-09-02T03:00:05Z", .tags = {"b"}, .hostname = "b"});
    source_.finish();
    testing::write_file(runner_.folder() / "from", testing::kPassword);
  }
  Outcome copy(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"copy", "--from-repo", "source", "--from-password-file",
                                 (runner_.folder() / "from").string()});
    return runner_.run(words);
  }
  // Hosts of the snapshots in the destination.
  std::vector<Snapshot> copies() {
    const Secret password{std::string(testing::kPassword)};
    const auto repository = value_of(Repository::open(files_, password, "", soon()));
    std::vector<Snapshot> all;
    for (const SnapshotId& id : value_of(repository->list_snapshots(soon()))) {
      all.push_back(value_of(repository->load_snapshot(id, soon())));
    }
    return all;
  }

  std::shared_ptr<MemoryStorage> source_files_ = std::make_shared<MemoryStorage>();
  testing::RepositoryBuilder source_{source_files_};
  std::shared_ptr<MemoryStorage> files_ = std::make_shared<MemoryStorage>();
  // Of another version, since all that is built has one key: packs would be copied as they are.
  testing::RepositoryBuilder destination_{files_, 2};
  testing::RestreeRunner runner_{files_};
  BlobId data_;
  std::string a_;
  std::string b_;
};

TEST_F(Copy, SaysWhatResticSaysAndWithJsonToo) {
  for (const char* option : {"-v", "--json"}) {
    const bool is_json = std::string(option) == "--json";
    if (is_json) {
      for (const Snapshot& one : copies()) {
        ASSERT_OK(files_->remove({FileType::kSnapshot, one.id.hex()}, soon()));
      }
    }
    const Outcome outcome = copy({option});
    EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
    EXPECT_THAT(outcome.err, IsEmpty());
    const std::string packs =
        is_json ? "         0 packs copied" : "100\\.00%  [12] / [12] packs copied";
    const std::string plan =
        is_json ? "" : "  copy [12] blobs with disk size [0-9]+ B in [12] packfiles\n";
    EXPECT_THAT(
        outcome.out,
        MatchesRegex("\nsnapshot " + a_ +
                     " of \\[/srv /etc\\] at 2026-09-01 03:00:05\\.5 \\+0200 \\+0200 by u@a\n"
                     "  copy started, this may take a while\\.\\.\\.\n" +
                     plan + "\\[0:0[0-9]\\] " + packs + "\n\nsnapshot " + b_ +
                     " of \\[/\\] at 2026-09-02 03:00:05 \\+0000 UTC by u@b\n"
                     "  copy started, this may take a while\\.\\.\\.\n" +
                     plan + "\\[0:0[0-9]\\] " + packs +
                     "\n\nsnapshot [0-9a-f]{8} saved, copied from source snapshot " + a_ +
                     "\nsnapshot [0-9a-f]{8} saved, copied from source snapshot " + b_ + "\n"));
  }
}

TEST_F(Copy, SaysThatPacksAreCopiedAsTheyAreBetweenRepositoriesWithOneKey) {
  const auto twin = std::make_shared<MemoryStorage>();
  testing::RestreeRunner runner(twin);
  runner.put("source", source_files_);
  const std::vector<std::string> source = {"--from-repo", "source", "--from-password-file",
                                           (runner_.folder() / "from").string()};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), source.begin(), source.end());
    return runner.run(words);
  };
  const Outcome made = run({"init", "--same-key"});
  EXPECT_EQ(made.code, ExitCode::kSuccess) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr(" with chunker parameters copied"),
                              HasSubstr("\n and with its master key: ")));
  const Outcome copied = run({"copy"});
  EXPECT_EQ(copied.code, ExitCode::kSuccess) << copied.err;
  EXPECT_THAT(copied.out,
              StartsWith("both repositories have one master key: whole packs are copied as they "
                         "are\nlooking for what 2 snapshots need\n\nsnapshot " +
                         a_));
  EXPECT_THAT(copied.out,
              HasSubstr("snapshot " + a_ + " saved, copied from source snapshot " + a_));
  EXPECT_EQ(run({"copy"}).out, "");
}

TEST_F(Copy, IsSilentAboutWhatIsThereAlready) {
  copy();
  EXPECT_THAT(copies(), SizeIs(2));
  EXPECT_EQ(copy().out, "");
  EXPECT_THAT(copy({"-v"}).out, AllOf(HasSubstr("\n\nsnapshot " + b_ + " of [/] at "),
                                      HasSubstr("skipping source snapshot " + a_ +
                                                ", was already copied to snapshot")));
  EXPECT_THAT(copies(), SizeIs(2));
}

TEST_F(Copy, SaysNothingIfQuiet) {
  const Outcome outcome = copy({"-q"});
  EXPECT_EQ(outcome.out + outcome.err, "");
  EXPECT_THAT(copies(), SizeIs(2));
}

TEST_F(Copy, TakesFiltersAndIds) {
  EXPECT_THAT(copy({"--host", "a"}).out, Not(HasSubstr(b_)));
  const Outcome outcome = copy({b_, "nosuch"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.err, "Ignoring \"nosuch\": no matching ID found for prefix \"nosuch\"\n");
  EXPECT_THAT(outcome.out, HasSubstr("copied from source snapshot " + b_));
  EXPECT_THAT(copies(), SizeIs(2));
}

TEST_F(Copy, TheSourceMayBeNamedByTheEnvironment) {
  testing::Environment environment;
  environment.set("RESTIC_FROM_REPOSITORY", "source");
  environment.set("RESTIC_FROM_PASSWORD", std::string(testing::kPassword));
  const Outcome outcome = runner_.run({"copy"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(copies(), SizeIs(2));
}

TEST_F(Copy, NeedsASource) {
  EXPECT_THAT(runner_.run({"copy"}).err,
              StartsWith("Fatal: Please specify a source repository location"));
  EXPECT_THAT(runner_.run({"copy", "--repo2", "source"}).err, HasSubstr("do not name a source"));
  EXPECT_EQ(copy({"--from-password-file", "/dev/null"}).code, ExitCode::kFailure);
  testing::write_file(runner_.folder() / "from", "wrong");
  EXPECT_EQ(copy().code, ExitCode::kWrongPassword);
  EXPECT_THAT(copies(), IsEmpty());
}

TEST_F(Copy, ASnapshotThatIsDamagedIsNamedAndTheOthersAreCopied) {
  for (const FileName& pack : source_.pack_names_of(data_)) {
    ASSERT_OK(source_files_->remove(pack, soon()));
  }
  const Outcome outcome = copy({"--json"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("snapshot " + a_ + " is not copied: "),
                    HasSubstr(R"({"message_type":"exit_error","code":1,"message":"Fatal: 1 of the )"
                              "snapshots could not be copied")));
  ASSERT_THAT(copies(), SizeIs(1));
  EXPECT_EQ(copies().front().hostname, "b");
}

TEST_F(Copy, WarnsOnceIfFilesAreCutIntoOtherChunks) {
  EXPECT_THAT(copy().err, IsEmpty()) << "these two cut them alike";
  const auto other = std::make_shared<MemoryStorage>();
  testing::RestreeRunner runner(other);
  runner.put("source", source_files_);
  runner.run({"init", "-q"});
  const auto copied = [&] {
    return runner.run({"copy", "--from-repo", "source", "--from-password-file",
                       (runner_.folder() / "from").string()});
  };
  const std::string warned = copied().err;
  EXPECT_THAT(warned, StartsWith("the repositories cut files into different chunks"));
  EXPECT_EQ(warned.find("chunks", warned.find("chunks") + 10), std::string::npos);
  EXPECT_EQ(copied().err, "") << "nothing is copied";
}

TEST_F(Copy, SharesBothRepositoriesWithBackupsAndWithNothingElse) {
  const std::string shared = write_lock_file(testing::lock_elsewhere(false));
  const std::string exclusive = write_lock_file(testing::lock_elsewhere(true));
  const auto with_lock = [&](testing::RepositoryBuilder& where, MemoryStorage& files,
                             const std::string& lock, std::vector<std::string> words) {
    const std::string name = where.add_sealed(FileType::kLock, lock);
    const ExitCode code = copy(std::move(words)).code;
    EXPECT_OK(files.remove({FileType::kLock, name}, soon()));
    return code;
  };
  EXPECT_EQ(with_lock(source_, *source_files_, exclusive, {}), ExitCode::kLocked);
  EXPECT_EQ(with_lock(destination_, *files_, exclusive, {}), ExitCode::kLocked);
  EXPECT_EQ(with_lock(destination_, *files_, exclusive, {"--no-lock"}), ExitCode::kLocked);
  EXPECT_THAT(copies(), IsEmpty());
  EXPECT_EQ(with_lock(source_, *source_files_, exclusive, {"--no-lock"}), ExitCode::kSuccess);
  EXPECT_EQ(with_lock(source_, *source_files_, shared, {}), ExitCode::kSuccess);
  EXPECT_EQ(with_lock(destination_, *files_, shared, {}), ExitCode::kSuccess);
  EXPECT_THAT(testing::lock_names(*source_files_), IsEmpty());
  EXPECT_THAT(testing::lock_names(*files_), IsEmpty());
}

}  // namespace
}  // namespace restree
