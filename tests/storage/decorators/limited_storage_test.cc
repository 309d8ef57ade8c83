#include "repo/storage/decorators/limited_storage.h"

#include <memory>
#include <stop_token>
#include <string>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

// A command that is interrupted reads in order to clean up, such as the config before it removes its
// lock, and must not take what it wrote for not written because a read behind it "failed".
TEST(LimitedStorage, HandsOutWhatItReadsAfterAStopAndWritesNothingMore) {
  const auto memory = std::make_shared<MemoryStorage>();
  const FileName file{FileType::kLock, std::string(64, 'a')};
  ASSERT_OK(memory->write(file, as_bytes("content"), Deadline::never()));
  std::stop_source stop;
  const auto storage = limit_storage(memory, make_rate_limits(1, 1), stop.get_token());
  stop.request_stop();
  EXPECT_EQ(as_text(value_of(storage->read_all(file, Deadline::never())).view()), "content");
  EXPECT_EQ(
      as_text(value_of(storage->read(file, {.offset = 3, .length = 4}, Deadline::never())).view()),
      "tent");
  const FileName other{FileType::kLock, std::string(64, 'b')};
  EXPECT_THAT(storage->write(other, as_bytes("content"), Deadline::never()),
              FailsWith(ErrorKind::kCancelled));
  EXPECT_THAT(memory->read_all(other, Deadline::never()), FailsWith(ErrorKind::kNotFound));
}

}  // namespace
}  // namespace restree
