// A repository of three files, of which everybody may read two, and what tests do with mounts of
// it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/restic.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

class Mounting : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>();
    // Some tests look in as nobody.
    std::filesystem::permissions(dir_->path(), std::filesystem::perms(0755));
    const std::filesystem::path source = dir_->path() / "source";
    std::filesystem::create_directories(source);
    write_file(source / "public", "for all");
    write_file(source / "private", "for root");
    std::filesystem::permissions(source / "private", std::filesystem::perms(0600));
    write_random_file(source / "large", 1, 8 * kMiB);
    restic().init();
    restic().backup({"--tag", "app=a", source.string()});
  }
  static void TearDownTestSuite() { dir_.reset(); }

  static Restic restic() { return Restic(dir_->path() / "home"); }
  // A fresh mount point that everybody can reach.
  static std::filesystem::path mount_point() {
    static int count = 0;
    std::filesystem::path path = dir_->path() / ("mnt" + std::to_string(++count));
    std::filesystem::create_directories(path);
    return path;
  }
  static std::string password_file() {
    write_file(dir_->path() / "password", std::string(kPassword) + "\n");
    return (dir_->path() / "password").string();
  }
  static Finished as_nobody(std::vector<std::string> argv) {
    argv.insert(argv.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    return run({.argv = std::move(argv)});
  }
  static void expect_works(const Mounted& mounted) {
    EXPECT_EQ(read_file(mounted / "apps/a/latest/public"), "for all");
  }

  static inline std::unique_ptr<TempDir> dir_;
};

}  // namespace restree::testing
