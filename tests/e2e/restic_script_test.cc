// A script of restic command lines runs unchanged with restree first in PATH under restic's name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

// As a server's nightly job and its restore job would be written, and fail loudly where they would.
constexpr const char* kScript = R"(
set -euo pipefail
restic version | grep -q '^re'
restic check >/dev/null 2>&1 || restic init >/dev/null
restic check

restic backup "$DATA" --tag maintainer=acme --tag app=wiki --tag version=1.4 --host box --quiet
echo later >"$DATA/later.txt"
restic backup "$DATA" --tag maintainer=acme --tag app=wiki --tag version=1.5 --host box --json |
  grep '"message_type":"summary"' | grep -q '"files_new":1'
restic backup "$DATA" --tag app=other --host box --quiet --exclude '*.zip'

newest=$(restic snapshots --json --tag app=wiki --latest 1 | grep -o '"short_id":"[0-9a-f]*"' | tail -1 | cut -d'"' -f4)
[[ $(restic snapshots --json --tag app=wiki | grep -o '"short_id"' | wc -l) == 2 ]]
restic ls "$newest" | grep -q later.txt
restic stats --json "$newest" | grep -q total_size
restic dump "$newest" "$DATA/later.txt" | grep -qx later

rm "$DATA"/backups/*.zip "$DATA/later.txt"
restic restore "$newest" --target / --include '*.zip'
cmp "$DATA/backups/a.zip" "$KEPT/a.zip"
[[ ! -e $DATA/later.txt ]]

restic forget "$newest"
! restic snapshots --json | grep -q "$newest"

for minute in 1 2 3; do
  restic backup "$DATA" --quiet --tag app=rotated --time "2026-11-01 12:0$minute:00"
done
restic forget --tag app=rotated --keep-last 1
[[ $(restic snapshots --json --tag app=rotated | grep -o '"short_id"' | wc -l) == 1 ]]
restic unlock
restic check --read-data

status=0
RESTIC_PASSWORD=wrong restic snapshots >/dev/null 2>&1 || status=$?
[[ $status == 12 ]]
status=0
restic -r "$RESTIC_REPOSITORY-missing" snapshots >/dev/null 2>&1 || status=$?
[[ $status == 10 ]]
)";

TEST(ResticScript, RunsUnchangedUnderResticsName) {
  const TempDir dir;
  const fs::path bin = dir.path() / "bin";
  const fs::path data = dir.path() / "data";
  const fs::path kept = dir.path() / "kept";
  fs::create_directories(bin);
  fs::create_directories(data / "backups");
  fs::create_directories(kept);
  fs::create_symlink(restree_path(), bin / "restic");
  write_random_file(data / "backups/a.zip", 1, kMiB);
  write_file(data / "page.md", "a page");
  fs::copy_file(data / "backups/a.zip", kept / "a.zip");

  const Finished finished =
      run({.argv = {"bash", "-c", kScript},
           .env = {{"PATH", bin.string() + ":" + std::getenv("PATH")},
                   {"RESTIC_REPOSITORY", (dir.path() / "repository").string()},
                   {"RESTIC_PASSWORD", "script"},
                   {"HOME", dir.path().string()},
                   {"DATA", data.string()},
                   {"KEPT", kept.string()}}});
  EXPECT_TRUE(finished.ok()) << finished.report();
}

}  // namespace
}  // namespace restree::testing
