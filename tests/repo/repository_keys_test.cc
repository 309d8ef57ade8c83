// Which key file a password opens, where others are in the way: damaged, unreadable, of an unknown
// kind, too costly.
#include "repo/repository_keys.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "repo/crypto/sha256.h"
#include "repo/format/key.h"
#include "repo/storage/local_storage.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPassword;
using testing::kQuickKey;
using testing::MemoryRepository;
using ::testing::Not;
using testing::RepositoryBuilder;
using testing::soon;
using testing::value_of;

constexpr ScryptParameters kOfOldRestic{.n = 262144, .r = 1, .p = 1};
constexpr std::string_view kOther = "another password";

std::string with(std::string json, std::string_view from, std::string_view to) {
  return json.replace(json.find(from), from.size(), to);
}

enum class Place { kFirst, kLast };
constexpr auto kPlaces = {Place::kFirst, Place::kLast};

// The JSON of a key file with another user, so that its name is below or above that of `good`.
std::string placed(const std::string& json, Place place, const std::string& good) {
  for (int i = 0;; ++i) {
    std::string tried =
        with(json, R"("username":"u")", R"("username":"u)" + std::to_string(i) + "\"");
    if ((to_hex(sha256(as_bytes(tried))) < good) == (place == Place::kFirst)) return tried;
  }
}

// A repository in memory with the key of kPassword, and others beside it.
class KeySearchTest : public ::testing::Test {
 protected:
  RepositoryBuilder& builder() { return memory_.builder(); }
  std::string add(std::string_view json) {
    return builder().add_file(FileType::kKey, as_bytes(json));
  }
  // Adds it before or behind the good key.
  std::string add_beside(Place place, const std::string& json) {
    return add(placed(json, place, good_));
  }
  std::string quick_json(std::string_view password = kOther) {
    return builder().key_json(password);
  }
  void add_heap(const std::vector<std::string>& contents) {
    for (std::size_t i = 0; i < 3000; ++i) {
      ASSERT_OK(memory_.storage().write({FileType::kKey, fmt::format("{:064d}", i)},
                                        as_bytes(contents[i % contents.size()]), soon()));
    }
  }
  void remove_good() { memory_.remove({FileType::kKey, good_}); }
  void fail_reading(const std::string& name, ErrorKind kind) {
    memory_.storage().watch([=](const FileName& file) -> Status {
      if (file.name == name) return Error(kind, "read " + name + ": refused");
      return {};
    });
  }
  // The name of the key that opens.
  std::string opened(std::string_view password = kPassword, const std::string& hint = "") {
    const auto repository = memory_.try_open(password, hint);
    return repository ? (*repository)->key_name() : "error: " + repository.error().message();
  }
  // The error of a search that finds no key.
  Error failure(std::string_view password, const KeyLimits& limits = {}) {
    const Bytes config = value_of(read_config_file(memory_.storage(), soon()));
    const Result<OpenedKey> key = find_master_key(
        memory_.storage(), config, Secret(std::string(password)), "", soon(), limits);
    return key ? Error(ErrorKind::kInvalid, "it opens") : key.error();
  }

  MemoryRepository memory_;
  const std::string good_ = value_of(memory_.storage().list(FileType::kKey, soon())).front().name;
};

TEST_F(KeySearchTest, AKeyOfOldResticOpens) {
  remove_good();
  const std::string old = add(builder().key_json("old", kOfOldRestic));
  EXPECT_EQ(opened("old"), old);
}

TEST_F(KeySearchTest, AnUnusableKeyBesideTheRightOneDoesNoHarm) {
  const std::string quick = quick_json();
  for (const std::string& json : {
           builder().key_json(kOther, kOfOldRestic),
           with(quick, R"("N":1024)", R"("N":1099511627776)"),
           with(quick, R"("p":1)", R"("p":1048576)"),
           with(quick, R"("N":1024)", R"("N":1000)"),
           with(quick, "scrypt", "argon2id"),
           with(quick, R"("salt":")", R"("salt":"AAAA)"),
           with(quick, "{", "["),
       }) {
    for (const Place place : kPlaces) {
      const std::string name = add_beside(place, json);
      EXPECT_EQ(opened(), good_) << json;
      memory_.remove({FileType::kKey, name});
    }
  }
}

TEST_F(KeySearchTest, AKeyWhoseContentHasChangedDoesNoHarm) {
  for (const Place place : kPlaces) {
    memory_.damage({FileType::kKey, add_beside(place, quick_json())});
    EXPECT_EQ(opened(), good_);
  }
}

TEST_F(KeySearchTest, AKeyThatCannotBeReadDoesNoHarm) {
  for (const Place place : kPlaces) {
    const std::string name = add_beside(place, quick_json());
    for (const ErrorKind kind : {ErrorKind::kLocalIo, ErrorKind::kDenied, ErrorKind::kNotFound}) {
      fail_reading(name, kind);
      EXPECT_EQ(opened(), good_) << to_string(kind);
    }
  }
}

TEST_F(KeySearchTest, AKeyOfTheWrongSizeDoesNoHarmAndIsNotEvenRead) {
  for (const std::string& content : {std::string(), std::string(1 << 20, 'x')}) {
    const std::string name(64, content.empty() ? '0' : 'f');
    ASSERT_OK(memory_.storage().write({FileType::kKey, name}, as_bytes(content), soon()));
    memory_.storage().watch([=](const FileName& file) -> Status {
      EXPECT_NE(file.name, name);
      return {};
    });
    EXPECT_EQ(opened(), good_);
  }
}

TEST_F(KeySearchTest, AKeyOfAnotherRepositoryWithTheSamePasswordDoesNoHarm) {
  const SealKey other = value_of(SealKey::from_derived(as_bytes(std::string(64, 'k'))));
  KeyFile foreign =
      value_of(make_key_file(other, Secret(std::string(kPassword)), {}, {.n = 2, .r = 1, .p = 1}));
  foreign.username = "u";
  for (const Place place : kPlaces) add_beside(place, write_key_file(foreign));
  EXPECT_EQ(opened(), good_);
  remove_good();
  EXPECT_THAT(memory_.try_open(), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(KeySearchTest, AFolderOrAFifoInThePlaceOfAKeyDoesNoHarm) {
  const testing::TempDir dir;
  const RepositoryBuilder on_disk(dir.path() / "repo");
  const fs::path keys = dir.path() / "repo" / "keys";
  for (const char digit : {'0', 'f'}) {
    fs::create_directory(keys / std::string(64, digit));
    ASSERT_EQ(::mkfifo((keys / (std::string(63, digit) + '7')).c_str(), 0600), 0);
  }
  const auto repository = Repository::open(make_local_storage((dir.path() / "repo").string()),
                                           Secret(std::string(kPassword)), "", soon());
  ASSERT_OK(repository);
}

TEST_F(KeySearchTest, ServersThatListNoSizesAreAskedForTheKeyAllTheSame) {
  memory_.storage().watch_sizes([](const FileName&) -> Status {
    return Error(ErrorKind::kUnsupported, "the server does not report the size of files");
  });
  const Bytes bytes = value_of(read_key_file(memory_.storage(), {good_, 0}, soon()));
  EXPECT_EQ(to_hex(sha256(bytes)), good_);
}

TEST_F(KeySearchTest, TheCheapestOfSeveralIsTriedFirst) {
  for (const Place place : kPlaces) {
    add_beside(place, builder().key_json(kPassword, {.n = 2048, .r = 8, .p = 1}));
    EXPECT_EQ(opened(), good_);
  }
  const std::string cheapest = add(builder().key_json(kPassword, {.n = 512, .r = 8, .p = 1}));
  EXPECT_EQ(opened(), cheapest);
}

TEST_F(KeySearchTest, AHintedKeyIsTriedBeforeCheaperOnes) {
  const std::string costly = add(builder().key_json(kPassword, {.n = 2048, .r = 8, .p = 1}));
  EXPECT_EQ(opened(kPassword, costly.substr(0, 10)), costly);
  EXPECT_EQ(memory_.storage().reads(FileType::kKey), 1U);
  memory_.damage({FileType::kKey, costly});
  EXPECT_EQ(opened(kPassword, costly.substr(0, 10)), good_);
}

TEST_F(KeySearchTest, TheLogNamesADamagedKeyButNotOneOfAnUnknownKind) {
  const auto logged = [&] {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(opened(), good_);
    return ::testing::internal::GetCapturedStderr();
  };
  add(with(quick_json(), "scrypt", "argon2id"));
  EXPECT_THAT(logged(), IsEmpty());
  const std::string damaged = add(quick_json());
  memory_.damage({FileType::kKey, damaged});
  EXPECT_THAT(logged(), HasSubstr("opened with another key, as not all can be used: key " +
                                  damaged + ": it is damaged"));
}

TEST_F(KeySearchTest, WithTheWrongPasswordTheKeysThatCannotBeUsedAreNamed) {
  const std::string later = add(with(quick_json(), "scrypt", "argon2id"));
  const std::string huge = add(with(quick_json(), R"("N":1024)", R"("N":1099511627776)"));
  const Error error = failure("wrong");
  EXPECT_EQ(error.kind(), ErrorKind::kWrongPassword);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("wrong password or no key found"), HasSubstr("2 of them cannot be"),
                    HasSubstr(later), HasSubstr("argon2id"), HasSubstr(huge),
                    HasSubstr("more memory"), Not(HasSubstr(good_))));
  EXPECT_THAT(error.hint(), HasSubstr("If the password is right"));
}

TEST_F(KeySearchTest, WithoutAUsableKeyThePasswordIsNotBlamed) {
  remove_good();
  const std::string later = add(with(quick_json(), "scrypt", "argon2id"));
  const Error unsupported = failure(kPassword);
  EXPECT_EQ(unsupported.kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(unsupported.message(), AllOf(HasSubstr(later), HasSubstr("argon2id")));
  memory_.remove({FileType::kKey, later});
  const std::string huge = add(with(quick_json(), R"("p":1)", R"("p":1048576)"));
  const Error costly = failure(kPassword);
  EXPECT_EQ(costly.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(costly.message(), AllOf(HasSubstr(huge), HasSubstr("more time")));
}

TEST_F(KeySearchTest, OfManyUnusableKeysOnlyAFewAreNamed) {
  for (int i = 0; i < 7; ++i) add("not a key " + std::to_string(i));
  const Error error = failure("wrong");
  EXPECT_THAT(error.message(), AllOf(HasSubstr("7 of them"), HasSubstr("; and 2 more")));
}

TEST_F(KeySearchTest, AllKeysTogetherCostNoMoreThanTheLimit) {
  for (int i = 0; i < 3; ++i) {
    add(placed(quick_json(), i % 2 == 0 ? Place::kFirst : Place::kLast, good_));
  }
  const std::uint64_t once = scrypt_cost(kQuickKey);
  const std::string costly = add(builder().key_json("costly", {.n = 4096, .r = 8, .p = 1}));
  const Error error = failure("costly", {.most_cost = 8 * once - 1});
  EXPECT_EQ(error.kind(), ErrorKind::kWrongPassword);
  EXPECT_THAT(error.message(), HasSubstr("1 of them were not tried"));
  EXPECT_EQ(failure("costly", {.most_cost = 8 * once}).message(), "it opens");
  EXPECT_EQ(opened("costly", costly), costly);
}

TEST_F(KeySearchTest, NoMoreKeysAreReadThanTheLimit) {
  for (int i = 0; i < 5; ++i) add("not a key " + std::to_string(i));
  const Error error = failure("wrong", {.most_keys = 4});
  EXPECT_EQ(memory_.storage().reads(FileType::kKey), 4U);
  EXPECT_EQ(error.kind(), ErrorKind::kWrongPassword);
  EXPECT_THAT(error.message(), HasSubstr("2 of them were not tried"));
  EXPECT_THAT(error.hint(), HasSubstr("RESTIC_KEY_HINT"));
}

// By name they come before every key.
TEST_F(KeySearchTest, AHeapOfFilesWithoutTheSizeOfAKeyIsNotEvenRead) {
  add_heap({"", "nothing", std::string(10'000, 'x')});
  const std::size_t before = memory_.storage().reads(FileType::kKey);
  EXPECT_EQ(opened(), good_);
  EXPECT_EQ(memory_.storage().reads(FileType::kKey), before + 1);
}

TEST_F(KeySearchTest, AHeapOfFilesWithTheSizeOfAKeyDoesNotKeepItAway) {
  add_heap({std::string(450, 'x')});
  EXPECT_EQ(opened(), good_);
}

TEST_F(KeySearchTest, NoMoreBytesOfKeysAreReadThanTheLimit) {
  for (int i = 0; i < 5; ++i) add(std::string(1000, 'x') + std::to_string(i));
  const Error error = failure("wrong", {.most_bytes = 3500});
  EXPECT_THAT(error.message(), HasSubstr(" of them were not tried"));
  EXPECT_LE(memory_.storage().reads(FileType::kKey), 4U);
}

TEST_F(KeySearchTest, AServerThatIsAwayIsNotTakenForADamagedKey) {
  fail_reading(add_beside(Place::kLast, quick_json()), ErrorKind::kUnavailable);
  EXPECT_THAT(memory_.try_open(), FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree
