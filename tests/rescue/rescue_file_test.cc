#include "repo/rescue/rescue_file.h"

#include <string>

#include "repo/crypto/sha256.h"
#include "repo/format/config.h"
#include "repo/rescue/rescue.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MemoryRepository;
using testing::soon;
using testing::value_of;

RescueFile a_file() {
  const auto repository = value_of(MemoryRepository().try_open());
  return value_of(export_rescue_file(*repository, Secret(std::string("other")),
                                     {.scrypt = testing::kQuickKey}, soon()));
}

TEST(RescueFile, IsReadAsItWasWritten) {
  const RescueFile file = a_file();
  const RescueFile read = value_of(parse_rescue_file(as_bytes(write_rescue_file(file))));
  EXPECT_EQ(read.repository, file.repository);
  EXPECT_EQ(as_text(read.key_file), as_text(file.key_file));
  EXPECT_EQ(as_text(read.config_file), as_text(file.config_file));
  EXPECT_EQ(key_name_of(read), to_hex(sha256(file.key_file)));
}

TEST(RescueFile, FieldsOfLaterFormsDoNotMatter) {
  std::string json = write_rescue_file(a_file());
  json.insert(1, "\"later\":{\"a\":[1,2]},");
  EXPECT_OK(parse_rescue_file(as_bytes(json)));
}

TEST(RescueFile, OfALaterFormSaysWhatToDo) {
  std::string json = write_rescue_file(a_file());
  json.replace(json.find(":1"), 2, ":2");
  const auto read = parse_rescue_file(as_bytes(json));
  ASSERT_THAT(read, FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(read.error().message(), HasSubstr("needs a newer restree"));
}

TEST(RescueFile, WhatIsNotWholeIsRefused) {
  const std::string whole = write_rescue_file(a_file());
  for (std::size_t size = 0; size + 2 < whole.size(); size += 7) {
    EXPECT_FALSE(parse_rescue_file(as_bytes(whole.substr(0, size)))) << size;
  }
  for (const char* json : {"{}", "[]", R"({"rescue_key":1})",
                           R"({"rescue_key":1,"repository":"00","key":"","config":""})"}) {
    EXPECT_FALSE(parse_rescue_file(as_bytes(std::string(json)))) << json;
  }
  RescueFile file = a_file();
  file.config_file = Bytes(10);
  EXPECT_THAT(parse_rescue_file(as_bytes(write_rescue_file(file))), FailsWith(ErrorKind::kCorrupt));
  file = a_file();
  file.key_file = Bytes::copy_of(as_bytes(std::string("{}")));
  EXPECT_THAT(parse_rescue_file(as_bytes(write_rescue_file(file))), FailsWith(ErrorKind::kCorrupt));
}

}  // namespace
}  // namespace restree
