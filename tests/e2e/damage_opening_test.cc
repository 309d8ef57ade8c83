// Damage to the files that every program reads first: config, keys and locks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/e2e/damage_place.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/repository_files.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct OpeningDamage {
  std::string name;
  std::function<void(DamagedCopy&)> damage;
  int exit_code = 0;        // of restree and restreefs
  std::string words = {};   // that both print; names for ids
  bool asks_restic = true;  // which waits for ever for a FIFO, and for a minute for a folder
};
std::ostream& operator<<(std::ostream& out, const OpeningDamage& row) { return out << row.name; }

class DamageOfOpening : public ::testing::TestWithParam<OpeningDamage> {
 protected:
  static void SetUpTestSuite() { place_ = std::make_unique<DamagePlace>(); }
  static void TearDownTestSuite() { place_.reset(); }
  void SetUp() override { copy_ = std::make_unique<DamagedCopy>(*place_); }

  Finished restree(std::vector<std::string> words) const {
    Command command = RestreeProgram(copy_->restic()).command(std::move(words));
    command.timeout = std::chrono::seconds(patient(60));
    return run(command);
  }
  void expect_restic_ends(bool well) const {
    for (const std::string& binary : all_restics()) {
      const Finished checked = run({.argv = {binary, "check", "--no-cache"},
                                    .env = copy_->restic().environment(),
                                    .timeout = std::chrono::seconds(patient(60))});
      EXPECT_FALSE(checked.timed_out);
      EXPECT_EQ(checked.ok(), well) << checked.report();
    }
  }

  static std::unique_ptr<DamagePlace> place_;
  std::unique_ptr<DamagedCopy> copy_;
};
std::unique_ptr<DamagePlace> DamageOfOpening::place_;

// --- Nothing can be opened -----------------------------------------------------------------------

TEST_P(DamageOfOpening, IsNamedByBothPrograms) {
  GetParam().damage(*copy_);
  for (const Finished& done : {restree({"check"}), try_mount(mount_of(copy_->restic()))}) {
    EXPECT_FALSE(done.timed_out);
    EXPECT_EQ(done.exit_code, GetParam().exit_code) << done.report();
    EXPECT_THAT(copy_->in_names(done.err), HasSubstr(GetParam().words));
  }
  if (GetParam().asks_restic) expect_restic_ends(false);
}

std::vector<OpeningDamage> rows() {
  return {
      {"OnlyKeyMissing", [](DamagedCopy& copy) { copy.remove("key"); }, 12,
       "no key file in R/keys"},
      {"OnlyKeyFlipped", [](DamagedCopy& copy) { copy.flip("key", 100); }, 1,
       "the only key file of R cannot be used: key ID: it is damaged: its hash is not its name"},
      {"OnlyKeyCut", [](DamagedCopy& copy) { copy.cut("key", -10); }, 1,
       "the only key file of R cannot be used: key ID: it is damaged: its hash is not its name"},
      {"OnlyKeyEmpty", [](DamagedCopy& copy) { copy.cut("key", 0); }, 1,
       "the only key file of R cannot be used: key ID: it is empty, or not a regular file"},
      {"FifoForTheOnlyKey", [](DamagedCopy& copy) { copy.put_fifo("key"); }, 12,
       "no key file in R/keys", false},
  };
}
INSTANTIATE_TEST_SUITE_P(Rows, DamageOfOpening, ::testing::ValuesIn(rows()),
                         [](const auto& row) { return row.param.name; });

// --- Everything can be read, and nothing written -------------------------------------------------

class DamageOfConfig : public DamageOfOpening {};

TEST_P(DamageOfConfig, LeavesAllReadableAndIsMended) {
  GetParam().damage(*copy_);
  const Finished checked = restree({"check"});
  EXPECT_EQ(checked.exit_code, GetParam().exit_code) << checked.report();
  EXPECT_THAT(copy_->in_names(checked.err),
              AllOf(HasSubstr(GetParam().words), HasSubstr("repair config")));
  if (GetParam().asks_restic) expect_restic_ends(false);
  {
    const Mounted mounted(copy_->restic());
    EXPECT_EQ(content_below(mounted / "apps/mail/latest/"), place_->content_of("mail").value());
  }
  if (fs::is_directory(fs::symlink_status(copy_->root() / "config"))) {
    EXPECT_FALSE(restree({"repair", "config"}).ok());
    fs::remove_all(copy_->root() / "config");
  }
  const Finished mended = restree({"repair", "config"});
  EXPECT_TRUE(mended.ok()) << mended.report();
  EXPECT_TRUE(restree({"check"}).ok());
  expect_restic_ends(true);
}

std::vector<OpeningDamage> config_rows() {
  return {
      {"ConfigMissing", [](DamagedCopy& copy) { copy.remove("config"); }, 10,
       "there is no config file in R"},
      {"ConfigCut", [](DamagedCopy& copy) { copy.cut("config", -10); }, 1,
       "config file of R: ciphertext verification failed"},
      {"ConfigEmpty", [](DamagedCopy& copy) { copy.cut("config", 0); }, 1,
       "the config file of R is empty"},
      {"ConfigFlipped", [](DamagedCopy& copy) { copy.flip("config", 40); }, 1,
       "config file of R: ciphertext verification failed"},
      {"FifoForTheConfig", [](DamagedCopy& copy) { copy.put_fifo("config"); }, 1,
       "R/config is a FIFO, where a file should be", false},
      {"FolderForTheConfig", [](DamagedCopy& copy) { copy.put_folder("config"); }, 1,
       "R/config is a folder, where a file should be", false},
      {"LoopForTheConfig", [](DamagedCopy& copy) { copy.put_loop("config"); }, 1,
       "open R/config: Too many levels of symbolic links", false},
  };
}
INSTANTIATE_TEST_SUITE_P(Rows, DamageOfConfig, ::testing::ValuesIn(config_rows()),
                         [](const auto& row) { return row.param.name; });

// --- All can be opened ---------------------------------------------------------------------------

class DamageBeside : public DamageOfOpening {};

TEST_P(DamageBeside, DoesNoHarm) {
  GetParam().damage(*copy_);
  const Finished checked = restree({"check", "--read-data"});
  EXPECT_EQ(checked.exit_code, 0) << checked.report();
  EXPECT_THAT(copy_->in_names(checked.err), HasSubstr(GetParam().words));
  const Mounted mounted(copy_->restic());
  EXPECT_EQ(content_below(mounted / "apps/mail/latest/"), place_->content_of("mail").value());
  EXPECT_EQ(content_below(mounted / "apps/notes/latest/"), place_->content_of("notes2").value());
}

// The same key under another name.
void add_second_key(DamagedCopy& copy) {
  copy.add_file(FileType::kKey, read_file(copy.file("key")) + "\n");
}
// Damages the key that is not the second one.
std::function<void(DamagedCopy&)> with_second(void (*damage)(DamagedCopy&, const fs::path&)) {
  return [damage](DamagedCopy& copy) {
    const fs::path first = copy.file("key");
    add_second_key(copy);
    damage(copy, first);
  };
}

std::vector<OpeningDamage> harmless_rows() {
  return {
      {"OneOfTwoKeysFlipped",
       with_second([](DamagedCopy&, const fs::path& key) { flip_byte(key, 3); }), 0,
       "opened with another key, as not all can be used: key ID: it is damaged"},
      {"OneOfTwoKeysEmpty",
       with_second([](DamagedCopy&, const fs::path& key) { write_file(key, ""); }), 0,
       "opened with another key, as not all can be used: key ID: it is empty"},
      {"AnEmptyLock",
       [](DamagedCopy& copy) { write_file(copy.root() / "locks" / std::string(64, 'a'), ""); }},
      {"AFifoAmongTheLocks",
       [](DamagedCopy& copy) {
         const fs::path lock = copy.add_file(FileType::kLock, "a lock");
         fs::remove(lock);
         ASSERT_EQ(::mkfifo(lock.c_str(), 0600), 0);
       },
       0, "R/locks/ID is a FIFO, where a file should be"},
  };
}
INSTANTIATE_TEST_SUITE_P(Rows, DamageBeside, ::testing::ValuesIn(harmless_rows()),
                         [](const auto& row) { return row.param.name; });

class DamageOfLocks : public DamageOfOpening {};

TEST_F(DamageOfLocks, OneOfGarbageIsRemovedIfThatIsAskedFor) {
  copy_->add_file(FileType::kLock, random_bytes(1, 200));
  // Programs that lock wait for it to be written to its end.
  EXPECT_TRUE(restree({"check", "--no-lock"}).ok());
  EXPECT_TRUE(restree({"unlock"}).ok());
  EXPECT_THAT(stored_in(copy_->root(), "locks"), SizeIs(1));
  EXPECT_TRUE(restree({"unlock", "--remove-all"}).ok());
  EXPECT_THAT(stored_in(copy_->root(), "locks"), SizeIs(0));
  EXPECT_TRUE(restree({"check"}).ok());
  expect_restic_ends(true);
}

}  // namespace
}  // namespace restree::testing
