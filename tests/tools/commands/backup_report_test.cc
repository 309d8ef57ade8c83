// The status line of a backup in terminals of every width.
#include "tools/commands/backup_report.h"

#include <gmock/gmock.h>

#include <string>

#include "tools/output/columns.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

BackupFigures late_in_a_large_backup() {
  return {.elapsed = std::chrono::hours(12),
          .files = 1'234'567,
          .bytes = std::uint64_t{2} << 40,
          .bytes_per_second = 200 << 20,
          .errors = 12,
          .totals = ScanTotals{.files = 7'654'321, .bytes = std::uint64_t{3} << 40},
          .left = std::chrono::hours(6)};
}

TEST(BackupStatus, HasEverythingWhereThereIsRoom) {
  EXPECT_EQ(status_text(late_in_a_large_backup(), 200),
            "[12:00:00] 66.67%  1234567 files 2.000 TiB, total 7654321 files 3.000 TiB, "
            "200.000 MiB/s, 12 errors ETA 6:00:00");
}

TEST(BackupStatus, KeepsShareAndTimeLeftInEveryTerminal) {
  for (std::size_t columns = 39; columns < 200; ++columns) {
    const std::string line = status_text(late_in_a_large_backup(), columns);
    EXPECT_THAT(line, AllOf(HasSubstr("66.67%"), HasSubstr("ETA 6:00:00")));
    if (columns >= 40) {
      EXPECT_THAT(line, HasSubstr("12 errors"));
    }
    EXPECT_LE(columns_of(line), columns);
  }
  EXPECT_EQ(status_text(late_in_a_large_backup(), 79),
            "[12:00:00] 66.67%  1234567 files 2.000 TiB, 12 errors ETA 6:00:00");
}

TEST(BackupStatus, CountsUntilTheScanIsDone) {
  const BackupFigures figures{.elapsed = std::chrono::seconds(2),
                              .files = 3,
                              .bytes = 1024,
                              .bytes_per_second = 512,
                              .totals = std::nullopt,
                              .left = std::nullopt};
  EXPECT_EQ(status_text(figures, 79), "[0:02] 3 files, 1.000 KiB, 512 B/s");
  EXPECT_EQ(status_text(figures, 30), "[0:02] 3 files, 1.000 KiB");
}

}  // namespace
}  // namespace restree
