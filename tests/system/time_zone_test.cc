#include "repo/system/time_zone.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>

namespace restree {
namespace {

constexpr std::int32_t kMinute = 60;
constexpr std::int32_t kHour = 3600;

// The same zone in the C library, which says what is right.
class LibraryZone {
 public:
  explicit LibraryZone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~LibraryZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
  std::int32_t offset_at(std::int64_t seconds) const {
    const std::time_t time = seconds;
    std::tm broken{};
    ::localtime_r(&time, &broken);
    return static_cast<std::int32_t>(broken.tm_gmtoff);
  }
};

class EveryZone : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryZone, HasTheOffsetsThatTheLibraryHas) {
  const std::string name = GetParam();
  if (name == "EST5EDT" && !std::filesystem::exists("/usr/share/zoneinfo/" + name)) {
    GTEST_SKIP()
        << "Debian 13 has this zone in tzdata-legacy, and the library takes its name for a rule";
  }
  constexpr std::int64_t kYear = 31'556'952;
  constexpr std::int64_t kStep = 5 * 86400 + 1234;
  const TimeZone zone = TimeZone::named(GetParam());
  const LibraryZone library(GetParam());
  for (std::int64_t at = -170 * kYear; at < 180 * kYear; at += kStep) {
    ASSERT_EQ(zone.offset_at(at), library.offset_at(at)) << at;
  }
}

TEST_P(EveryZone, TurnsItsClockTimeBackIntoUtc) {
  const TimeZone zone = TimeZone::named(GetParam());
  for (const std::int64_t at : {0LL, 1'700'000'000LL, 1'720'000'000LL, 4'000'000'000LL}) {
    EXPECT_EQ(zone.to_utc(at + zone.offset_at(at)), at);
  }
}

INSTANTIATE_TEST_SUITE_P(TimeZone, EveryZone,
                         ::testing::Values("UTC", "Europe/Berlin", "America/St_Johns",
                                           "Asia/Kolkata", "Australia/Lord_Howe",
                                           "America/Sao_Paulo", "Africa/Casablanca", "Asia/Gaza",
                                           "EST5EDT", ":Europe/Dublin",
                                           "/usr/share/zoneinfo/Pacific/Apia"));

TEST(TimeZone, IsUtcWhereTheNameIsUnknownOrEmpty) {
  for (const char* name : {"", ":", "Nowhere/Land", "CET-1CEST", "/nonexistent"}) {
    EXPECT_EQ(TimeZone::named(name).offset_at(1'700'000'000), 0) << name;
  }
}

TEST(TimeZone, IsUtcWhereTheFileIsNotAZone) {
  const std::string cut = "TZif2" + std::string(39, '\xff');
  for (const std::string& bytes : {std::string(), std::string("TZif"), cut}) {
    EXPECT_EQ(TimeZone::parse(as_bytes(bytes)).offset_at(0), 0);
  }
}

TEST(ZoneRule, KnowsEveryWayToNameADay) {
  const std::array<const char*, 3> rules = {"<-03>3:30<-02>,M3.2.0,M11.1.0",
                                            "AAA3:30BBB2:30,J69/2,J309/2",
                                            "AAA3:30BBB,68/2,308/2:00:00"};
  for (const char* text : rules) {  // 10 March and 5 November 2023, both Sundays
    const auto rule = ZoneRule::parse(text);
    ASSERT_TRUE(rule) << text;
    const std::int64_t begin = 1'678'413'600 + 3 * kHour + 30 * kMinute;
    if (std::string_view(text).find('M') == std::string_view::npos) {
      EXPECT_EQ(rule->offset_at(begin - 1), -(3 * kHour + 30 * kMinute)) << text;
      EXPECT_EQ(rule->offset_at(begin), -(2 * kHour + 30 * kMinute)) << text;
    }
    EXPECT_EQ(rule->offset_at(1'690'000'000), -(2 * kHour + 30 * kMinute)) << text;
    EXPECT_EQ(rule->offset_at(1'702'000'000), -(3 * kHour + 30 * kMinute)) << text;
  }
}

TEST(ZoneRule, RefusesOtherText) {
  for (const char* text : {"", "CE", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-x",
                           "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1"}) {
    EXPECT_FALSE(ZoneRule::parse(text)) << text;
  }
}

TEST(TimeZone, AFolderInPlaceOfAZoneIsUtc) {
  for (const char* name : {"Europe", "/", "/usr/share/zoneinfo", ":America", "/dev/null"}) {
    EXPECT_EQ(TimeZone::named(name).offset_at(0), 0) << name;
  }
}

}  // namespace
}  // namespace restree
