// The mount behaves as a read-only disk to the calls and programs that meet it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <random>

#include "tests/support/awkward_tree.h"
#include "tests/support/fidelity.h"
#include "tests/support/mounted.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

void make_git_repository(const fs::path& at) {
  fs::create_directories(at / "src");
  for (int i = 0; i < 40; ++i) {
    write_file(at / "src" / ("unit" + std::to_string(i) + ".c"),
               random_bytes(std::uint64_t(i), 99));
  }
  const auto git = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-c", "user.name=T", "-c", "user.email=t@localhost"});
    run_ok({.argv = words, .folder = at});
  };
  git({"init", "-q"});
  git({"add", "."});
  git({"commit", "-q", "-m", "All of it"});
}

void make_database(const fs::path& at) {
  run_ok({.argv = {"sqlite3", at.string()},
          .input =
              "create table t(id integer primary key, words text);"
              "with recursive n(i) as (select 1 union all select i+1 from n where i<20000) "
              "insert into t select i, hex(randomblob(40)) from n; create index w on t(words);"});
}

// One mount serves all tests of this file, as it would serve all programs of a machine.
class Conformance : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>();
    make_awkward_tree(source() / "awkward");
    make_git_repository(source() / "git");
    make_database(source() / "app.db");
    fs::copy_file("/bin/true", source() / "program");
    write_file(source() / "haystack", "one line\nthe needle is here\n");
    const Restic restic(dir_->path() / "home");
    restic.init_slowly();
    restic.backup({"--tag", "app=a", source().string()});
    mounted_ = std::make_unique<Mounted>(restic);
  }
  static void TearDownTestSuite() {
    mounted_.reset();
    dir_.reset();
  }

  static fs::path source() { return dir_->path() / "source"; }
  static fs::path shown() { return *mounted_ / "apps/a/latest"; }

  static std::unique_ptr<TempDir> dir_;
  static std::unique_ptr<Mounted> mounted_;
};
std::unique_ptr<TempDir> Conformance::dir_;
std::unique_ptr<Mounted> Conformance::mounted_;

struct Mutation {
  const char* name;
  std::function<int(const fs::path& file, const fs::path& folder, const fs::path& fresh)> call;
};

const std::vector<Mutation>& mutations() {
  using P = const fs::path&;
  static const std::vector<Mutation> all = {
      {"open to write", [](P file, P, P) { return ::open(file.c_str(), O_WRONLY); }},
      {"open to read and write", [](P file, P, P) { return ::open(file.c_str(), O_RDWR); }},
      {"open to append", [](P file, P, P) { return ::open(file.c_str(), O_WRONLY | O_APPEND); }},
      {"open and truncate", [](P file, P, P) { return ::open(file.c_str(), O_RDONLY | O_TRUNC); }},
      {"creat", [](P, P, P fresh) { return ::creat(fresh.c_str(), 0644); }},
      {"O_TMPFILE", [](P, P dir, P) { return ::open(dir.c_str(), O_TMPFILE | O_RDWR, 0600); }},
      {"mkdir", [](P, P, P fresh) { return ::mkdir(fresh.c_str(), 0755); }},
      {"mknod", [](P, P, P fresh) { return ::mknod(fresh.c_str(), S_IFIFO | 0644, 0); }},
      {"symlink", [](P, P, P fresh) { return ::symlink("target", fresh.c_str()); }},
      {"link", [](P file, P, P fresh) { return ::link(file.c_str(), fresh.c_str()); }},
      {"unlink", [](P file, P, P) { return ::unlink(file.c_str()); }},
      {"rmdir", [](P, P folder, P) { return ::rmdir(folder.c_str()); }},
      {"rename", [](P file, P, P fresh) { return ::rename(file.c_str(), fresh.c_str()); }},
      {"rename over",
       [](P file, P, P) {
         return ::rename(file.c_str(), (file.parent_path() / "one byte").c_str());
       }},
      {"chmod", [](P file, P, P) { return ::chmod(file.c_str(), 0600); }},
      {"chmod of a folder", [](P, P folder, P) { return ::chmod(folder.c_str(), 0700); }},
      {"chown", [](P file, P, P) { return ::chown(file.c_str(), 1, 1); }},
      {"lchown", [](P file, P, P) { return ::lchown(file.c_str(), 1, 1); }},
      {"truncate", [](P file, P, P) { return ::truncate(file.c_str(), 1); }},
      {"utimensat", [](P file, P, P) { return ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0); }},
      {"setxattr", [](P file, P, P) { return ::setxattr(file.c_str(), "user.a", "b", 1, 0); }},
      {"removexattr", [](P file, P, P) { return ::removexattr(file.c_str(), "user.a"); }},
      {"access to write", [](P file, P, P) { return ::access(file.c_str(), W_OK); }},
  };
  return all;
}

TEST_F(Conformance, EveryMutatingCallOnASnapshotGivesErofs) {
  const fs::path folder = shown() / "awkward/sizes";
  for (const auto& mutation : mutations()) {
    errno = 0;
    EXPECT_EQ(mutation.call(folder / "empty", folder, folder / "fresh"), -1) << mutation.name;
    EXPECT_EQ(errno, EROFS) << mutation.name;
  }
}

TEST_F(Conformance, EveryMutatingCallOnTheViewsGivesErofs) {
  for (const char* view : {"", "apps", "apps/a", "ids", "snapshots", "hosts", "tags"}) {
    const fs::path folder = *mounted_ / view;
    EXPECT_EQ(::mkdir((folder / "fresh").c_str(), 0755), -1) << view;
    EXPECT_EQ(errno, EROFS) << view;
    EXPECT_EQ(::creat((folder / "fresh").c_str(), 0644), -1) << view;
    EXPECT_EQ(errno, EROFS) << view;
    EXPECT_EQ(::chmod(folder.c_str(), 0700), -1) << view;
    EXPECT_EQ(errno, EROFS) << view;
  }
  EXPECT_EQ(::unlink((*mounted_ / "apps/a/latest").c_str()), -1);
  EXPECT_EQ(errno, EROFS);
}

TEST_F(Conformance, NoDescriptorCanBeWrittenThrough) {
  const UniqueFd fd(::open((shown() / "awkward/sizes/one byte").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd);
  EXPECT_EQ(::pwrite(fd.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(::fallocate(fd.get(), 0, 0, 4096), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(::ftruncate(fd.get(), 0), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(::fchmod(fd.get(), 0600), -1);
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, fd.get(), 0), MAP_FAILED);
  EXPECT_EQ(errno, EACCES);
}

// `count` reads at random places of random files; how many differ from the source.
int wrong_reads(const std::vector<std::pair<fs::path, fs::path>>& files, unsigned seed, int count) {
  std::mt19937_64 random(seed);
  int wrong = 0;
  for (int i = 0; i < count; ++i) {
    const auto& [ours, theirs] = files[random() % files.size()];
    const UniqueFd our_fd(::open(ours.c_str(), O_RDONLY | O_CLOEXEC));
    const UniqueFd their_fd(::open(theirs.c_str(), O_RDONLY | O_CLOEXEC));
    const std::uint64_t size = fs::file_size(theirs);
    const auto offset = static_cast<off_t>(random() % (size + size / 8 + 1));
    // Mostly small, now and then several chunks long.
    std::string our_bytes(random() % (random() % 16 == 0 ? 6 * kMiB : 200 * kKiB), '\0');
    std::string their_bytes = our_bytes;
    const ssize_t ours_read = ::pread(our_fd.get(), our_bytes.data(), our_bytes.size(), offset);
    const ssize_t theirs_read =
        ::pread(their_fd.get(), their_bytes.data(), their_bytes.size(), offset);
    if (ours_read != theirs_read || our_bytes != their_bytes) ++wrong;
  }
  return wrong;
}

TEST_F(Conformance, TenThousandRandomReadsByEightProcessesEqualTheSource) {
  std::vector<std::pair<fs::path, fs::path>> files;
  for (const auto& path : files_below(source())) {
    files.emplace_back(shown() / fs::path(path).lexically_relative(source()), path);
  }
  // Most files are tiny; the ones with chunks to get wrong are drawn more often.
  for (const char* name : {"big", "5 MiB", "sparse", "repeats"}) {
    files.insert(files.end(), files.size() / 8,
                 {shown() / "awkward/sizes" / name, source() / "awkward/sizes" / name});
  }
  const int each = static_cast<int>(scaled(10'000, 800) / 8);
  std::vector<pid_t> readers;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) ::_exit(wrong_reads(files, seed, each) == 0 ? 0 : 1);
    readers.push_back(pid);
  }
  for (const pid_t pid : readers) {
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0) << "a reader saw bytes that are not the source's";
  }
}

TEST_F(Conformance, AMappedFileHoldsTheSourcesBytes) {
  const UniqueFd fd(::open((shown() / "awkward/sizes/5 MiB").c_str(), O_RDONLY | O_CLOEXEC));
  for (const int flags : {MAP_PRIVATE, MAP_SHARED}) {
    void* mapped = ::mmap(nullptr, 5 * kMiB, PROT_READ, flags, fd.get(), 0);
    ASSERT_NE(mapped, MAP_FAILED);
    const std::string_view bytes(static_cast<const char*>(mapped), 5 * kMiB);
    EXPECT_TRUE(bytes == read_file(source() / "awkward/sizes/5 MiB"));
    ::munmap(mapped, 5 * kMiB);
  }
}

std::string listing_by_find(const fs::path& folder) {
  return run_ok({.argv = {"find", ".", "-name", "socket", "-o", "-print0"}, .folder = folder});
}

std::vector<std::string> sorted_fields(const std::string& text) {
  std::vector<std::string> fields;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\0', at);
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::sort(fields.begin(), fields.end());
  return fields;
}

TEST_F(Conformance, FindSeesTheNamesOfTheSource) {
  EXPECT_EQ(sorted_fields(listing_by_find(shown() / "")), sorted_fields(listing_by_find(source())));
}

void pack_by_tar(const fs::path& folder, const fs::path& archive) {
  run_ok({.argv = {"tar", "--create", "--file", archive.string(), "--sort=name", "--xattrs",
                   "--acls", "--numeric-owner", "--exclude=./awkward/special/socket",
                   "--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f", "."},
          .folder = folder});
}

TEST_F(Conformance, TarPacksTheSameArchiveAsFromTheSource) {
  const TempDir out;
  pack_by_tar(shown() / "", out.path() / "shown.tar");
  pack_by_tar(source(), out.path() / "source.tar");
  const Finished same = run(
      {.argv = {"cmp", (out.path() / "shown.tar").string(), (out.path() / "source.tar").string()}});
  EXPECT_TRUE(same.ok()) << same.report();
}

TEST_F(Conformance, CpKeepsHoles) {
  const TempDir out;
  const fs::path copy = out.path() / "copy";
  run_ok({.argv = {"cp", "--sparse=auto", (shown() / "awkward" / kSparsePath).string(),
                   copy.string()}});
  EXPECT_TRUE(
      run({.argv = {"cmp", copy.string(), (source() / "awkward" / kSparsePath).string()}}).ok());
  struct stat attributes {};
  ASSERT_EQ(::stat(copy.c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_size, off_t(96 * kMiB));
  EXPECT_LT(attributes.st_blocks * 512, off_t(4 * kMiB)) << "the holes became zeros on disk";
}

TEST_F(Conformance, SeekFindsDataAndHoles) {
  const UniqueFd sparse(::open((shown() / "awkward" / kSparsePath).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::lseek(sparse.get(), 0, SEEK_HOLE), 0);
  const off_t data = ::lseek(sparse.get(), 0, SEEK_DATA);
  EXPECT_GE(data, off_t(47 * kMiB));
  EXPECT_LE(data, off_t(48 * kMiB));
  const off_t hole = ::lseek(sparse.get(), data, SEEK_HOLE);
  EXPECT_GE(hole, off_t(49 * kMiB));
  EXPECT_LE(hole, off_t(52 * kMiB));
  EXPECT_EQ(::lseek(sparse.get(), off_t(96 * kMiB), SEEK_DATA), -1);
  EXPECT_EQ(errno, ENXIO);

  const UniqueFd dense(::open((shown() / "awkward/sizes/5 MiB").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::lseek(dense.get(), 0, SEEK_HOLE), off_t(5 * kMiB));
  EXPECT_EQ(::lseek(dense.get(), 12345, SEEK_DATA), 12345);
}

TEST_F(Conformance, DuCountsHolesAsNothing) {
  const std::string file = (shown() / "awkward" / kSparsePath).string();
  const long allocated = std::stol(run_ok({.argv = {"du", "--block-size=1", file}}));
  const long apparent =
      std::stol(run_ok({.argv = {"du", "--apparent-size", "--block-size=1", file}}));
  EXPECT_EQ(apparent, long(96 * kMiB));
  EXPECT_LT(allocated, long(4 * kMiB));
}

TEST_F(Conformance, GitFindsItsWorkTreeClean) {
  const auto git = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-c", "safe.directory=*"});
    return run({.argv = std::move(words), .folder = shown() / "git"});
  };
  const Finished status = git({"status", "--porcelain"});
  EXPECT_TRUE(status.ok()) << status.report();
  EXPECT_EQ(status.out, "");
  EXPECT_TRUE(git({"fsck", "--full", "--strict"}).ok());
}

TEST_F(Conformance, SqliteOpensADatabaseReadOnly) {
  const std::string path = (shown() / "app.db").string();
  for (const auto& name : {"file:" + path + "?mode=ro", "file:" + path + "?immutable=1"}) {
    const Finished finished = run(
        {.argv = {"sqlite3", name}, .input = "pragma integrity_check; select count(*) from t;"});
    EXPECT_EQ(finished.out, "ok\n20000\n") << name << finished.report();
  }
}

TEST_F(Conformance, GrepFindsTheNeedle) {
  const Finished grep = run(
      {.argv = {"grep", "-rl", "-D", "skip", "the needle is here", "."}, .folder = shown() / ""});
  EXPECT_EQ(grep.out, "./haystack\n") << grep.report();
}

TEST_F(Conformance, AProgramRunsFromTheMount) {
  EXPECT_TRUE(run({.argv = {(shown() / "program").string()}}).ok());
}

TEST_F(Conformance, StatfsAnswersAndSaysReadOnly) {
  struct statvfs answer {};
  ASSERT_EQ(::statvfs(mounted_->path().c_str(), &answer), 0);
  EXPECT_NE(answer.f_flag & ST_RDONLY, 0U);
  EXPECT_NE(answer.f_flag & ST_NOSUID, 0U);
  EXPECT_NE(answer.f_flag & ST_NODEV, 0U);
  EXPECT_EQ(answer.f_namemax, 255U);
  EXPECT_GT((answer.f_blocks - answer.f_bfree) * answer.f_frsize, 24 * kMiB)
      << "df should show the repository's size as used";
  EXPECT_GT(answer.f_bavail, answer.f_blocks / 2) << "and no monitor should take it for full";
  EXPECT_TRUE(run({.argv = {"df", mounted_->path().string()}}).ok());
}

TEST_F(Conformance, AMissingNameIsEnoent) {
  struct stat attributes {};
  for (const char* name : {"nothing", "awkward/nothing", "awkward/sizes/Big", "git/src/unit0.c "}) {
    EXPECT_EQ(::lstat((shown() / name).c_str(), &attributes), -1) << name;
    EXPECT_EQ(errno, ENOENT) << name;
  }
  EXPECT_EQ(::lstat((shown() / "haystack/below").c_str(), &attributes), -1);
  EXPECT_EQ(errno, ENOTDIR);
  EXPECT_EQ(::lstat((shown() / std::string(256, 'n')).c_str(), &attributes), -1);
  EXPECT_EQ(errno, ENAMETOOLONG);
}

}  // namespace
}  // namespace restree::testing
