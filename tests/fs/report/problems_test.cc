#include "fs/report/problems.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>

namespace restree {
namespace {

Problem of_app(const std::string& app, const std::string& path) {
  return {.app = app, .snapshot = "1a2b3c4d", .path = path, .what = "it is damaged"};
}

class ProblemsTest : public ::testing::Test {
 protected:
  Problems::Time now_{std::chrono::seconds(1'800'000'000)};  // 2027-01-15T08:00:00Z
  Problems problems_{[this] { return now_; }};
};

TEST_F(ProblemsTest, AreNone) {
  EXPECT_EQ(problems_.count(), 0U);
  EXPECT_EQ(problems_.as_json_lines(),
            R"({"message_type":"summary","problems":0,"files":0,"apps":{}})"
            "\n");
}

TEST_F(ProblemsTest, AreListedOnceWithFirstAndLastMeeting) {
  problems_.met(of_app("wiki", "/srv/b"));
  problems_.met(of_app("mail", "/srv/a"));
  now_ += std::chrono::minutes(1);
  problems_.met(of_app("wiki", "/srv/b"));
  problems_.met(of_app("wiki", "/srv/a"));
  EXPECT_EQ(problems_.count(), 3U);
  EXPECT_EQ(problems_.as_json_lines(),
            R"({"message_type":"summary","problems":3,"files":0,"apps":{"mail":1,"wiki":2}}
{"message_type":"problem","app":"mail","snapshot":"1a2b3c4d","path":"/srv/a","problem":"it is damaged","first":"2027-01-15T08:00:00Z","last":"2027-01-15T08:00:00Z","times":1}
{"message_type":"problem","app":"wiki","snapshot":"1a2b3c4d","path":"/srv/a","problem":"it is damaged","first":"2027-01-15T08:01:00Z","last":"2027-01-15T08:01:00Z","times":1}
{"message_type":"problem","app":"wiki","snapshot":"1a2b3c4d","path":"/srv/b","problem":"it is damaged","first":"2027-01-15T08:00:00Z","last":"2027-01-15T08:01:00Z","times":2}
)");
}

TEST_F(ProblemsTest, FilesOfTheRepositoryGoWhenTheyCanBeReadAgain) {
  const Problem file{.app = {}, .snapshot = {}, .path = "index/12", .what = "empty"};
  const Problem other{.app = {}, .snapshot = {}, .path = "index/13", .what = "empty"};
  problems_.set_files({file, other});
  now_ += std::chrono::hours(1);
  problems_.set_files({file});
  EXPECT_EQ(problems_.count(), 1U);
  EXPECT_EQ(problems_.as_json_lines(),
            R"({"message_type":"summary","problems":1,"files":1,"apps":{}}
{"message_type":"problem","path":"index/12","problem":"empty","first":"2027-01-15T08:00:00Z","last":"2027-01-15T09:00:00Z"}
)");
  problems_.set_files({});
  EXPECT_EQ(problems_.count(), 0U);
}

TEST_F(ProblemsTest, AreOnlyCountedWhenThereAreVeryMany) {
  for (std::size_t i = 0; i < Problems::kMost + 2; ++i) {
    problems_.met(of_app("wiki", "/" + std::to_string(i)));
  }
  problems_.met(of_app("wiki", "/0"));  // known
  EXPECT_EQ(problems_.count(), Problems::kMost + 2);
  EXPECT_TRUE(problems_.as_json_lines().starts_with(
      R"({"message_type":"summary","problems":10002,"files":0,"not_listed":2,"apps":{"wiki":10000}})"));
}

}  // namespace
}  // namespace restree
