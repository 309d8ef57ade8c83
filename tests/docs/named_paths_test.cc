// The documents name files of the project by their paths, and link to each other: what they name is
// there.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace restree {
namespace {

using std::filesystem::path;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const path& project() {
  static const path root = RESTREE_SOURCE_DIR;
  return root;
}

std::string text_of(const path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<path> documents() {
  std::vector<path> all = {"ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md",
                           "bench/README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(project() / "docs")) {
    all.push_back(path("docs") / entry.path().filename());
  }
  return all;
}

// The words that begin with a folder of the project and a slash.
std::vector<std::string> paths_in(std::string_view text) {
  constexpr std::array<std::string_view, 10> kFolders = {"bench/", "cache/", "cmake/",   "docs/",
                                                         "fs/",    "man/",   "program/", "repo/",
                                                         "tests/", "tools/"};
  const auto belongs = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-./*").find(c) != std::string_view::npos;
  };
  std::vector<std::string> paths;
  for (auto begin = text.begin(); begin != text.end();) {
    begin = std::find_if(begin, text.end(), belongs);
    const auto end = std::find_if_not(begin, text.end(), belongs);
    std::string word(begin, end);
    while (word.ends_with('.')) word.pop_back();  // of a sentence
    const bool is_ours =
        std::any_of(kFolders.begin(), kFolders.end(), [&](std::string_view folder) {
          return word.starts_with(folder) && word.size() > folder.size();
        });
    if (is_ours) paths.push_back(std::move(word));
    begin = end;
  }
  return paths;
}

// A star in the name of the file stands for anything: "cache/pack_pieces.*".
bool is_in_project(const std::string& named) {
  const path whole = project() / named;
  const std::string pattern = whole.filename().string();
  const std::size_t star = pattern.find('*');
  if (star == std::string::npos) return std::filesystem::exists(whole);
  if (!std::filesystem::is_directory(whole.parent_path())) return false;
  const std::string_view before = std::string_view(pattern).substr(0, star);
  const std::string_view after = std::string_view(pattern).substr(star + 1);
  const auto entries = std::filesystem::directory_iterator(whole.parent_path());
  return std::any_of(begin(entries), end(entries), [&](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return name.size() >= before.size() + after.size() && name.starts_with(before) &&
           name.ends_with(after);
  });
}

// What the links of a document lead to: "threads.md", "states.md#writegate", "#memory".
std::vector<std::string> links_in(std::string_view text) {
  constexpr std::string_view kBegin = "](";
  std::vector<std::string> links;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at + 1)) {
    const std::size_t begin = at + kBegin.size();
    std::string link(text.substr(begin, text.find(')', begin) - begin));
    if (!link.starts_with("http")) links.push_back(std::move(link));
  }
  return links;
}

// The names that a document's headings have as targets of links.
std::set<std::string> anchors_in(const std::string& text) {
  std::set<std::string> anchors;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) continue;
    std::string anchor;
    for (const char c : line.substr(std::min(line.find(' ') + 1, line.size()))) {
      if (c == ' ') anchor += '-';
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') {
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    anchors.insert(std::move(anchor));
  }
  return anchors;
}

bool leads_somewhere(const path& document, const std::string& link) {
  const std::size_t mark = link.find('#');
  const std::string file = link.substr(0, mark);
  const path target =
      project() / (file.empty() ? document : document.parent_path() / file).lexically_normal();
  if (!std::filesystem::exists(target)) return false;
  return mark == std::string::npos || anchors_in(text_of(target)).contains(link.substr(mark + 1));
}

TEST(NamedPaths, AreThere) {
  std::vector<std::string> missing;
  std::size_t seen = 0;
  for (const path& document : documents()) {
    for (const std::string& named : paths_in(text_of(project() / document))) {
      ++seen;
      if (!is_in_project(named)) missing.push_back(document.string() + ": " + named);
    }
  }
  EXPECT_GT(seen, 100U) << "the documents were not found";
  EXPECT_THAT(missing, IsEmpty());
}

TEST(NamedPaths, LinksLeadToDocumentsAndHeadingsThatAreThere) {
  std::vector<std::string> broken;
  std::size_t seen = 0;
  for (const path& document : documents()) {
    for (const std::string& link : links_in(text_of(project() / document))) {
      ++seen;
      if (!leads_somewhere(document, link)) broken.push_back(document.string() + ": " + link);
    }
  }
  EXPECT_GT(seen, 5U) << "the documents were not found";
  EXPECT_THAT(broken, IsEmpty());
}

TEST(NamedPaths, AreFoundInProseTablesAndLists) {
  EXPECT_THAT(paths_in("See `repo/base/log.cc`, fs/mount.h. Not /usr/repo/x, a fs/, nor build/fs/y;"
                       " |`cache/disk_cache.*`|"),
              ElementsAre("repo/base/log.cc", "fs/mount.h", "cache/disk_cache.*"));
}

TEST(NamedPaths, WhatIsNotThereIsSeen) {
  EXPECT_TRUE(is_in_project("repo/base/log.cc"));
  EXPECT_TRUE(is_in_project("repo/base"));
  EXPECT_TRUE(is_in_project("repo/base/log.*"));
  EXPECT_FALSE(is_in_project("repo/base/no_log.cc"));
  EXPECT_FALSE(is_in_project("repo/base/no_log.*"));
  EXPECT_FALSE(is_in_project("repo/no_base/log.*"));
  EXPECT_TRUE(leads_somewhere("ARCHITECTURE.md", "docs/states.md#writegate"));
  EXPECT_TRUE(
      leads_somewhere("docs/threads.md", "../ARCHITECTURE.md#one-read-from-cp-to-the-wire"));
  EXPECT_TRUE(leads_somewhere("ARCHITECTURE.md", "#rooms"));
  EXPECT_FALSE(leads_somewhere("ARCHITECTURE.md", "docs/no_states.md"));
  EXPECT_FALSE(leads_somewhere("ARCHITECTURE.md", "docs/states.md#no-gate"));
}

}  // namespace
}  // namespace restree
