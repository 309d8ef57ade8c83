// A small repository in which everything has a name, and copies of it for tests to damage.
//
//   index     pack      blobs                                       kind
//   older     chunks    big.0 big.1 big.2                           data
//   older     mixed     big.3 small first                           data
//   older     single    last                                        data
//   older     trees     notes1/folder/deep notes1/folder notes1/    trees
//   newer     later     small added inbox                           data: one blob that `mixed` has, too
//   newer     roots     notes2/ mail/                               trees
//
//   snapshot  app       holds
//   notes1    notes     /big, /folder/deep/last, /folder/first, and /link1 and /link2, one file with two names
//   notes2    notes     the same, with the same trees below its root, and /added
//   mail      mail      /inbox
//
// Errors: std::runtime_error, std::system_error and std::filesystem::filesystem_error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "repo/format/index_file.h"
#include "repo/repository.h"
#include "tests/support/restic.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

// What lies below a folder, by path: of each file its length and a hash, and kFolder for each folder.
using Content = std::map<std::string, std::string>;
inline constexpr const char* kFolder = "(a folder)";
// The content of the files below a folder on the disk; of those that cannot be read, kUnreadable.
inline constexpr const char* kUnreadable = "(cannot be read)";
Content content_below(const std::filesystem::path& folder);

struct NamedBlob {
  BlobId id;
  BlobType type;
  std::string pack = {};  // the first that holds it
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

// The repository as it was made. Copies are damaged, never this one.
class DamagePlace {
 public:
  DamagePlace();

  const Restic& restic() const { return restic_; }
  // The files of packs, index files and snapshots, relative to the repository.
  const std::map<std::string, std::filesystem::path>& files() const { return files_; }
  const std::map<std::string, NamedBlob>& blobs() const { return blobs_; }
  // What a snapshot holds once these blobs are lost and the repository is repaired: files without
  // those pieces, folders without what was in them. Without a value: nothing of it is left.
  std::optional<Content> content_of(const std::string& snapshot,
                                    const std::set<std::string>& lost = {}) const;
  // The paths of a snapshot that need any of these blobs.
  std::set<std::string> hit_paths(const std::string& snapshot,
                                  const std::set<std::string>& lost) const;
  // What a mount shows of it once these blobs are lost: kUnreadable for what needs them, nothing of what
  // lies in such a folder.
  Content shown_content_of(const std::string& snapshot, const std::set<std::string>& lost) const;
  // Text with names in the place of ids.
  std::string in_names(std::string text) const;

 private:
  struct Entry {
    std::vector<std::string> chunks;  // of a file
    std::string tree;                 // of a folder
  };
  void store_older(Repository& repository);
  void store_newer(Repository& repository);
  void save_snapshot(Repository& repository, const std::string& name, const std::string& app);
  void name_packs(Repository& repository, const std::string& index);
  BlobId id(const std::string& blob) const { return blobs_.at(blob).id; }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  std::map<std::string, std::filesystem::path> files_;
  std::map<std::string, NamedBlob> blobs_;
  std::map<std::string, std::string> texts_;                    // the content of data blobs
  std::map<std::string, std::map<std::string, Entry>> models_;  // by snapshot and path
};

// A copy of it, in a folder of its own.
class DamagedCopy {
 public:
  explicit DamagedCopy(const DamagePlace& place);

  const Restic& restic() const { return restic_; }
  const std::filesystem::path& folder() const { return dir_.path(); }
  std::filesystem::path root() const { return restic_.repository(); }
  // The file of a pack, an index file or a snapshot; also "config", and "key", the only one.
  std::filesystem::path file(const std::string& name) const;
  const NamedBlob& blob(const std::string& name) const { return place_.blobs().at(name); }

  void remove(const std::string& name) const { std::filesystem::remove(file(name)); }
  // Turns over a bit; a negative offset counts from the end.
  void flip(const std::string& name, std::int64_t at) const;
  void flip_blob(const std::string& name) const;
  // A negative size is that of what is cut off.
  void cut(const std::string& name, std::int64_t size) const;
  void append(const std::string& name, const std::string& garbage) const;
  // These put something else in the place of a file, which odd() names then.
  void put_fifo(const std::string& name);
  void put_folder(const std::string& name);
  void put_loop(const std::string& name);
  void put_dead_link(const std::string& name);
  const std::vector<std::filesystem::path>& odd() const { return odd_; }
  // Stores a file that is named by its hash; returns where.
  std::filesystem::path add_file(FileType type, const std::string& content) const;
  // The same, sealed with the repository's key.
  std::filesystem::path add_sealed(FileType type, const std::string& json) const;
  // Puts one that `change` has changed in the place of an index file.
  void rewrite_index(const std::string& name,
                     const std::function<void(std::vector<IndexedPack>&)>& change) const;
  std::vector<IndexedPack> packs_of_index(const std::string& name) const;

  // The folder's ids and paths in names.
  std::string in_names(std::string text) const;

 private:
  std::unique_ptr<Repository> open() const;

  TempDir dir_;
  const DamagePlace& place_;
  Restic restic_{dir_.path() / "home"};
  std::vector<std::filesystem::path> odd_;
};

}  // namespace restree::testing
