#include "repo/format/lock_file.h"

#include "repo/text/json_writer.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

// A lock of restic 0.19.1, decrypted.
constexpr std::string_view kLock =
    R"({"time":"2026-11-22T17:11:02.621965616-03:30","exclusive":true,"hostname":"h",)"
    R"("username":"root","pid":4711,"uid":1000})";

TEST(LockFile, SaysWhichProcessHoldsItAndSinceWhen) {
  const LockFile lock = testing::value_of(parse_lock_file(as_bytes(kLock)));
  EXPECT_EQ(format_timestamp(lock.time), "2026-11-22T20:41:02.621965616Z");
  EXPECT_TRUE(lock.exclusive);
  EXPECT_EQ(lock.hostname, "h");
  EXPECT_EQ(lock.username, "root");
  EXPECT_EQ(lock.pid, 4711U);
  EXPECT_EQ(lock.uid, 1000U);
  EXPECT_EQ(lock.gid, 0U);
}

TEST(LockFile, IsWrittenAsResticWritesIt) {
  LockFile lock = testing::value_of(parse_lock_file(as_bytes(kLock)));
  EXPECT_EQ(write_lock_file(lock),
            R"({"time":"2026-11-22T20:41:02.621965616Z","exclusive":true,"hostname":"h",)"
            R"("username":"root","pid":4711,"uid":1000})");
  lock.exclusive = false;
  lock.uid = 0;
  EXPECT_EQ(write_lock_file(lock),
            R"({"time":"2026-11-22T20:41:02.621965616Z","exclusive":false,"hostname":"h",)"
            R"("username":"root","pid":4711})");
}

TEST(LockFile, SaysWhereItsHolderRuns) {
  LockFile lock = testing::value_of(parse_lock_file(as_bytes(kLock)));
  EXPECT_FALSE(lock.place);
  lock.place = LockPlace{.boot_id = "a0119a4d-a8f3-4900-9b74-54f57699927c",
                         .machine = "3d12",
                         .pid_namespace = "4:4026531836",
                         .time_namespace = "4:4026531834",
                         .start_ticks = 12345678901};
  const std::string json = write_lock_file(lock);
  EXPECT_THAT(
      json, ::testing::HasSubstr(R"(,"restree":{"boot_id":"a0119a4d-a8f3-4900-9b74-54f57699927c",)"
                                 R"("machine":"3d12","pid_namespace":"4:4026531836",)"
                                 R"("time_namespace":"4:4026531834","start_ticks":12345678901}})"));
  EXPECT_EQ(testing::value_of(parse_lock_file(as_bytes(json))).place, lock.place);
}

TEST(LockFile, HasNoPlaceIfTheFieldHasAnotherShape) {
  for (const std::string_view odd : {"null", "7", R"("x")", "[1]"}) {
    const std::string json =
        R"({"time":"2026-11-22T20:41:02Z","restree":)" + std::string(odd) + R"(,"pid":7})";
    const LockFile lock = testing::value_of(parse_lock_file(as_bytes(json)));
    EXPECT_FALSE(lock.place) << odd;
    EXPECT_EQ(lock.pid, 7U);
  }
}

TEST(LockFile, WithoutATimeIsCorrupt) {
  EXPECT_THAT(parse_lock_file(as_bytes(R"({"exclusive":false})")),
              testing::FailsWith(ErrorKind::kCorrupt));
}

TEST(Timestamp, IsWrittenInUtcWithoutTrailingZeros) {
  EXPECT_EQ(format_timestamp({0, 0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_timestamp({-1, 500'000'000}), "1969-12-31T23:59:59.5Z");
  EXPECT_EQ(format_timestamp({1'719'846'000, 120'000'000}), "2024-07-01T15:00:00.12Z");
}

TEST(JsonWriter, EscapesAsGoDoes) {
  JsonWriter writer;
  writer.text("a<b>&\"\\\b\f\n\r\t\x01\xe2\x80\xa8/\x7f\xc3\xa9\xff\xed\xa0\x80");
  EXPECT_EQ(writer.json(),
            "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u2028/\x7f\xc3\xa9"
            "\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

}  // namespace
}  // namespace restree
