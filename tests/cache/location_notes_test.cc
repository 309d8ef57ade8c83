#include "cache/location_notes.h"

#include <filesystem>
#include <string>

#include "cache/cache_list.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const std::string kOne(64, '1');
const std::string kTwo(64, '2');

class LocationNotes : public ::testing::Test {
 protected:
  void note(const std::string& location, const std::string& id) {
    EXPECT_OK(note_location(base_, location, id));
  }
  std::optional<std::string> noted(const std::string& location) const {
    return noted_repository(base_, location);
  }
  std::vector<fs::path> notes() const { return testing::files_below(dir_.path() / "locations"); }

  testing::TempDir dir_;
  const std::string base_ = dir_.path().string();
};

TEST_F(LocationNotes, ReturnTheRepositoryNotedLast) {
  EXPECT_EQ(noted("sftp:nas:/a"), std::nullopt);
  note("sftp:nas:/a", kOne);
  note("sftp:nas:/b", kTwo);
  EXPECT_EQ(noted("sftp:nas:/a"), kOne);
  EXPECT_EQ(noted("sftp:nas:/b"), kTwo);
  note("sftp:nas:/a", kTwo);
  EXPECT_EQ(noted("sftp:nas:/a"), kTwo);
  EXPECT_THAT(notes(), SizeIs(2));
}

TEST_F(LocationNotes, DoNotShowTheLocation) {
  note("sftp:nas:/secret", kOne);
  for (const fs::path& file : notes()) {
    EXPECT_THAT(file.string() + testing::read_file(file), Not(HasSubstr("secret")));
  }
}

TEST_F(LocationNotes, ThatAreDamagedAreIgnored) {
  note("sftp:nas:/a", kOne);
  for (const std::string& text : {std::string(), kOne.substr(1), std::string(64, '/')}) {
    testing::write_file(notes().front(), text);
    EXPECT_EQ(noted("sftp:nas:/a"), std::nullopt) << text;
  }
  note("sftp:nas:/a", kOne);
  EXPECT_EQ(noted("sftp:nas:/a"), kOne);
}

TEST_F(LocationNotes, GoWithTheirCache) {
  for (const std::string& id : {kOne, kTwo}) fs::create_directory(dir_.path() / id);
  note("sftp:nas:/a", kOne);
  note("sftp:nas:/also-a", kOne);
  note("sftp:nas:/b", kTwo);
  ASSERT_OK(remove_cache(base_, {kOne, {}}));
  EXPECT_EQ(noted("sftp:nas:/a"), std::nullopt);
  EXPECT_EQ(noted("sftp:nas:/b"), kTwo);
  EXPECT_THAT(notes(), SizeIs(1));
}

}  // namespace
}  // namespace restree
