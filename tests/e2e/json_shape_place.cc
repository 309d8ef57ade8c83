#include "tests/e2e/json_shape_place.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "repo/crypto/sha256.h"
#include "repo/format/lock_file.h"
#include "repo/storage/local_storage.h"
#include "tests/support/files.h"
#include "tests/support/locks.h"
#include "tests/support/nobody.h"
#include "tests/support/password.h"
#include "tests/support/programs.h"
#include "tests/support/repository_builder.h"
#include "tests/support/repository_files.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kResticOfDebian = "restic";
constexpr const char* kPage = "a page, and more of it";
constexpr const char* kLinked = "two names, one file";
// Twice as much as a backup holds in memory: the remaining time is printed only once reading the
// rest takes seconds.
constexpr std::uint64_t kSlowBytes = 28 * kMiB;

void need(int result, const fs::path& path) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), path.string());
}

// The text from the end of `before`, searched from `from` on, to the next quotation mark.
std::string quoted_after(const std::string& text, std::string_view from, std::string_view before) {
  const auto begin = text.find(before, text.find(from));
  if (begin == std::string::npos) throw std::runtime_error("no " + std::string(before) + text);
  const auto at = begin + before.size();
  return text.substr(at, text.find('"', at) - at);
}

std::string blob_id(std::string_view content) { return to_hex(sha256(as_bytes(content))); }

// Empty, and quick to open.
RepositoryBuilder new_repository(const fs::path& folder) {
  fs::create_directories(folder);
  return RepositoryBuilder(make_local_storage(folder.string()), 2);
}

// The one that holds most: a pack of data.
fs::path largest_pack(const fs::path& repository) {
  fs::path largest;
  for (const fs::path& pack : stored_in(repository, "data")) {
    if (largest.empty() || fs::file_size(pack) > fs::file_size(largest)) largest = pack;
  }
  return largest;
}

}  // namespace

JsonShapePlace::JsonShapePlace() {
  fs::permissions(dir_.path(), fs::perms(0755));
  for (const char* const name : {"source", "other", "unreadable", "nowhere"}) {
    names_[name] = (dir_.path() / name).string();
  }
  for (const char* const name :
       {"main", "damaged", "packless", "locked", "stale", "fresh", "target", "existing"}) {
    names_[name] = (now_ / name).string();
  }
  names_["wrong_password"] = "echo wrong";
  make_sources();
  make_snapshots();
  make_damaged_repositories();
  name_objects();
  fs::rename(now_, pristine_);
}

void JsonShapePlace::make_sources() const {
  const fs::path source = dir_.path() / "source";
  fs::create_directories(source / "docs/deep");
  fs::create_directories(source / "empty folder");
  write_file(source / "docs/page.md", "a page");
  write_file(source / "docs/deep/gone.md", "soon gone");
  write_random_file(source / "docs/data", 1, 3 * kMiB);
  write_file(source / "hard 1", kLinked);
  fs::create_hard_link(source / "hard 1", source / "hard 2");
  fs::create_symlink("docs/page.md", source / "link");
  write_file(source / "<a> & \"b\"\n\\ \xff \u00fc", "an awkward name");
  write_file(source / "attributes", "x");
  need(::lsetxattr((source / "attributes").c_str(), "user.text", "value", 5, 0), source);
  need(::mkfifo((source / "fifo").c_str(), 0620), source);
  need(::mknod((source / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)), source);
  write_file(source / "no mode", "");
  need(::chmod((source / "no mode").c_str(), 0), source);

  fs::create_directories(dir_.path() / "other");
  write_file(dir_.path() / "other/file", "of another app");
  write_file(dir_.path() / "other/file.tmp", "not saved");

  const fs::path unreadable = dir_.path() / "unreadable";
  fs::create_directories(unreadable / "closed folder");
  write_file(unreadable / "a closed file", "never read");
  fs::permissions(unreadable / "a closed file", fs::perms::owner_all);
  fs::permissions(unreadable / "closed folder", fs::perms::owner_all);
  write_random_file(unreadable / "large 1", 2, kSlowBytes);
  write_random_file(unreadable / "large 2", 3, kSlowBytes);
}

void JsonShapePlace::make_snapshots() {
  const fs::path source = dir_.path() / "source";
  RepositoryBuilder made = new_repository(now_ / "main");
  run_ok(kResticOfDebian, "main",
         {"backup", "--host", "alpha", "--tag", "app=wiki,version=1.4", source.string()});

  write_file(source / "docs/page.md", kPage);
  fs::create_directories(source / "docs/new");
  write_file(source / "docs/new/added.md", "a new page");
  fs::remove_all(source / "docs/deep");
  fs::permissions(source / "hard 1", fs::perms(0600));
  fs::remove(source / "link");
  write_file(source / "link", "no link any more");
  run_ok(restree_path(), "main",
         {"backup", "--host", "alpha", "--tag", "app=wiki,version=1.5", source.string()});
  run_ok(restree_path(), "main",
         {"backup", "--host", "beta", "--exclude", "*.tmp", names_["other"]});
  run_ok(restree_path(), "main", {"tag", "--host", "beta", "--add", "late"});

  // The files that a further backup, or a restore of the first, finds.
  write_file(source / "docs/page.md", "a third page");
  write_file(source / "docs/later.md", "later");
  testing::run_ok({.argv = {"cp", "-a", source.string(), names_["existing"]}});

  const auto copy_with_lock = [&](const char* name, const LockFile& lock) {
    testing::run_ok({.argv = {"cp", "-a", names_["main"], names_[name]}});
    std::string file = made.add_sealed(FileType::kLock, write_lock_file(lock));
    fs::create_directories(now_ / name / "locks");
    fs::rename(now_ / "main/locks" / file, now_ / name / "locks" / file);
    return file;
  };
  LockFile lock = lock_elsewhere(true);
  names_["lock"] = copy_with_lock("locked", lock);
  lock.time.seconds -= 7200;  // two hours; kStaleAge is half of one
  copy_with_lock("stale", lock);
}

void JsonShapePlace::make_damaged_repositories() const {
  for (const char* const name : {"damaged", "packless"}) {
    new_repository(now_ / name);
    run_ok(restree_path(), name, {"backup", names_.at("source")});
  }
  const fs::path pack = largest_pack(now_ / "damaged");
  flip_byte(pack, fs::file_size(pack) / 2);  // in a file of several blobs
  fs::remove(largest_pack(now_ / "packless"));
}

void JsonShapePlace::name_objects() {
  const auto told = [&](Words words) { return run_ok(restree_path(), "main", std::move(words)); };
  const auto one_of = [&](const std::string& type) {
    const std::string list = told({"list", type});
    return list.substr(0, list.find('\n'));
  };
  const std::string snapshots = told({"snapshots", "--json"});
  names_["old"] = quoted_after(snapshots, "version=1.4", R"("short_id":")");
  names_["new"] = quoted_after(snapshots, "version=1.5", R"("short_id":")");
  names_["small"] = quoted_after(snapshots, "\"late\"", R"("short_id":")");
  const std::string tree = told({"cat", "tree", names_["new"] + ":" + names_["source"]});
  names_["tree"] = quoted_after(tree, "\"docs\"", R"("subtree":")");
  names_["empty_tree"] = quoted_after(tree, "\"empty folder\"", R"("subtree":")");
  names_["blob"] = blob_id(kPage);
  names_["short_blob"] = blob_id(kLinked).substr(0, 8);
  names_["pack"] = largest_pack(now_ / "main").filename().string();
  names_["index"] = one_of("index");
  names_["key"] = one_of("keys");
}

JsonShapePlace::Words JsonShapePlace::expand(const std::string& command) const {
  Words words;
  std::istringstream split(command);
  for (std::string word; split >> word;) {
    while (word.find('{') != std::string::npos) {
      const auto begin = word.find('{');
      const auto end = word.find('}', begin);
      word.replace(begin, end + 1 - begin, names_.at(word.substr(begin + 1, end - begin - 1)));
    }
    words.push_back(std::move(word));
  }
  return words;
}

Command JsonShapePlace::command(const std::string& program, const std::string& repository,
                                Words words) const {
  words.insert(words.begin(), program);
  return {.argv = std::move(words),
          .env = {{"RESTIC_REPOSITORY", names_.at(repository)},
                  {"RESTIC_PASSWORD", kPassword},
                  {"RESTIC_PASSWORD_FILE", std::nullopt},
                  {"RESTIC_PASSWORD_COMMAND", std::nullopt},
                  {"RESTIC_CACHE_DIR", (dir_.path() / "restic-cache").string()},
                  {"XDG_CACHE_HOME", (dir_.path() / "cache").string()},
                  {"XDG_STATE_HOME", (dir_.path() / "state").string()},
                  {"TZ", "America/St_Johns"}}};
}

std::string JsonShapePlace::run_ok(const std::string& program, const std::string& repository,
                                   Words words) const {
  return testing::run_ok(command(program, repository, std::move(words)));
}

void JsonShapePlace::put_back() const {
  fs::remove_all(now_);
  testing::run_ok({.argv = {"cp", "-a", pristine_.string(), now_.string()}});
}

Finished JsonShapePlace::run(const std::string& program, const JsonCase& one) const {
  put_back();
  Command wanted = command(program, "main", expand(one.command));
  wanted.input = one.input;
  if (one.how != How::kSlowlyAsNobody) return testing::run(wanted);
  testing::run_ok({.argv = {"chown", "-R", "nobody", now_.string()}});
  return testing::run(as_nobody(std::move(wanted), dir_.path()));
}

}  // namespace restree::testing
