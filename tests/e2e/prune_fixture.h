// A repository of both programs that a test prunes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

inline std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

inline std::set<std::string> snapshots_of(const Restic& restic) {
  return lines_of(restic.run_ok({"list", "snapshots", "--no-lock"}));
}
inline std::set<std::string> blobs_of(const Restic& restic) {
  return lines_of(restic.run_ok({"list", "blobs", "--no-lock"}));
}

class Pruned : public ::testing::Test {
 protected:
  std::filesystem::path source() const { return dir_.path() / "source"; }
  std::filesystem::path repository() const { return restic_.repository(); }
  Finished prune(std::vector<std::string> words = {"--max-unused", "0"}) const {
    words.insert(words.begin(), "prune");
    Finished done = restree_.run(words);
    EXPECT_TRUE(done.ok()) << done.report();
    return done;
  }
  // Each snapshot, restored by restic, by its id.
  void restore_all(const std::filesystem::path& into) const {
    for (const std::string& id : snapshots_of(restic_)) restic_.restore(id, into / id);
  }
  void expect_restores_as(const std::filesystem::path& before) const {
    const TempDir after;
    restore_all(after.path());
    ASSERT_EQ(names_in(after.path()), names_in(before));
    for (const std::string& id : names_in(before)) {
      const std::filesystem::path below = id / source().relative_path();
      EXPECT_EQ(differences(after.path() / below, before / below), "") << id;
    }
  }
  // Files, half of which are new in each backup; their content is not in packs of its own, which with
  // two packs filled at a time takes two of a kind in a row, and is certain only with many files.
  void fill(std::uint64_t rounds, std::uint64_t bytes, std::uint64_t files = 8) {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      std::filesystem::create_directories(source());
      for (std::uint64_t i = 0; i < files; ++i) {
        const bool is_kept = i % 4 < 2;
        if (is_kept && round > 0) continue;
        const std::string name = (is_kept ? "kept " : "changes ") + std::to_string(i);
        write_random_file(source() / name, 1000 * round + i, bytes);
      }
      restree_.backup({"--pack-size", "4", source().string()});
    }
  }
  // All but the newest snapshot.
  void forget_old() {
    const std::string newest = restic_.backup({source().string()});
    for (const std::string& id : snapshots_of(restic_)) {
      if (!id.starts_with(newest)) restic_.forget(id);
    }
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  RestreeProgram restree_{restic_};
};

}  // namespace restree::testing
