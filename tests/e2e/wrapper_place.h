// What tests need that stand in the place of programs which run restic and read what it prints.
#pragma once

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/password.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/quick_key.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

using Strings = std::vector<std::string>;
using Variables = std::vector<std::pair<std::string, std::optional<std::string>>>;

inline Strings lines_of(const std::string& text) {
  std::istringstream stream(text);
  Strings lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A document of JSON, and what of it a wrapper takes. Throws simdjson_error where it is not there,
// or something else.
class Json {
 public:
  explicit Json(const std::string& text)
      : parser_(std::make_unique<simdjson::dom::parser>()), root_(parser_->parse(text).value()) {}

  const simdjson::dom::element& root() const { return root_; }
  std::vector<simdjson::dom::element> list() const {
    const simdjson::dom::array array = root_.get_array().value();
    return {array.begin(), array.end()};
  }
  std::string word(const char* key) const { return word(root_, key); }
  double number(const char* key) const { return number(root_, key); }
  bool has(const char* key) const { return !root_[key].error(); }

  static std::string word(const simdjson::dom::element& object, const char* key) {
    return std::string(object[key].get_string().value());
  }
  static double number(const simdjson::dom::element& object, const char* key) {
    return object[key].get_double().value();
  }

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;  // owns what root_ refers to
  simdjson::dom::element root_;
};

// The groups of an expression in what was printed; none if it is not found.
inline Strings found(const std::string& expression, const std::string& printed) {
  std::smatch groups;
  if (!std::regex_search(printed, groups, std::regex(expression))) return {};
  Strings words;
  for (std::size_t i = 1; i < groups.size(); ++i) words.push_back(groups[i]);
  return words;
}

// Seconds since 1970 of a time as date(1) and the libraries of Python and Perl read it.
inline long seconds_of(const std::string& time) {
  return std::stol(run_ok({.argv = {"date", "-d", time, "+%s"}}));
}

// One program under the name of restic; a folder to save; a place for a repository.
class WrapperPlace {
 public:
  explicit WrapperPlace(const std::string& program) {
    std::filesystem::create_directories(dir_.path() / "bin");
    std::filesystem::create_symlink(program, restic());
    std::filesystem::create_directories(source() / "folder");
    write_file(source() / "a", "hello");
    write_file(source() / "folder/b", std::string(2000, 'x'));
  }

  std::filesystem::path source() const { return dir_.path() / "source"; }
  std::string repository() const { return (dir_.path() / "repository/restic").string(); }
  std::filesystem::path place(const std::string& name) const { return dir_.path() / name; }

  // A key that takes no time, in the repository that the program has made.
  void hurry() const { make_key_quick(repository()); }

  Finished call(Strings words, const Variables& variables = {}) const {
    words.insert(words.begin(), restic());
    return testing::run({.argv = std::move(words), .env = environment(variables)});
  }
  // With standard error in standard output, as wrappers have it that look through both at once.
  Finished call_merged(Strings words, const Variables& variables = {}) const {
    words.insert(words.begin(), {"sh", "-c", "exec \"$@\" 2>&1", "sh", restic()});
    return testing::run({.argv = std::move(words), .env = environment(variables)});
  }
  Process start(Strings words) const {
    words.insert(words.begin(), restic());
    return Process::start({.argv = std::move(words), .env = environment({})});
  }

 private:
  std::string restic() const { return place("bin/restic").string(); }
  Variables environment(const Variables& more) const {
    Variables all{{"HOME", dir_.path().string()},      {"XDG_CACHE_HOME", place("caches").string()},
                  {"RESTIC_PASSWORD", kPassword},      {"RESTIC_PASSWORD_FILE", std::nullopt},
                  {"RESTIC_REPOSITORY", std::nullopt}, {"TZ", "UTC"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TempDir dir_;
};

// Restree; and the restic that RESTREE_NEW_RESTIC names, if it names one: what is expected is its way.
inline Strings programs() {
  Strings all{restree_path()};
  if (const char* newer = std::getenv("RESTREE_NEW_RESTIC")) all.emplace_back(newer);
  return all;
}

// For INSTANTIATE_TEST_SUITE_P(Of, …, ::testing::ValuesIn(programs()), program_name).
inline std::string program_name(const ::testing::TestParamInfo<std::string>& instance) {
  return instance.index == 0 ? "Restree" : "NewerRestic";
}

class Wrapper : public ::testing::TestWithParam<std::string> {
 protected:
  const WrapperPlace& place() const { return place_; }
  std::string repository() const { return place_.repository(); }
  Finished call(Strings words, const Variables& variables = {}) const {
    return place_.call(std::move(words), variables);
  }
  void init() const {
    const Finished made = call({"init", "-r", repository()});
    ASSERT_TRUE(made.ok()) << made.report();
    place_.hurry();
  }

 private:
  WrapperPlace place_{GetParam()};
};

}  // namespace restree::testing
