// Restores a snapshot's tree to a folder, in place: content that is already right is kept.
//
// Order: folders, for the owner alone; files that are right already get their metadata, and contents
// of the others are written pack by pack, each finished with its metadata; then hard links, symbolic
// links and special files; last, from the leaves up, each folder: its unexpected entries are
// removed, and its own metadata is set. If a restore ends early, the same restore started again goes
// on where it ended.
// Others may be able to write to the target while root restores into it. Whatever they put, move or
// link there, nothing outside of the target is reached, and no file but those restored gets owner,
// mode or content of the snapshot's: see target_folders.h, target_files.h, private_folder.h.
// Ownership: repository and listener outlive it.
// Threads:   one calls; the work is done on several. figures(): any.
// Limits:    plan: see restore_plan.h; 310 bytes for each file and 72 for each blob to be written;
//            buffers: see bulk_load.h.
// Errors:    those of one item are reported to the listener and the rest goes on. The one that ends
//            the restore is returned: kUnavailable, kCancelled, kLocalIo (the target is full or
//            could not be made); its message counts the files that are not restored.
// Files whose content cannot be loaded, in whole or in part, are an error each, and their lost bytes
// are named. RestoreOptions::incomplete says what becomes of new ones; by default:
//   - An existing file is not touched before the first blob for it has come, nor at all if
//     a pack that it needs is missing.
//   - A new file is not made if none of its content came, and keeps a part otherwise. An existing
//     one may be partly overwritten. Either has a time older than the snapshot's, so that the next
//     restore takes it up again, unless it leaves all existing files alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/restorer/entry_identity.h"
#include "repo/restorer/private_folder.h"
#include "repo/restorer/restore_options.h"
#include "repo/restorer/restore_plan.h"
#include "repo/restorer/shared_names.h"
#include "repo/restorer/target_files.h"
#include "repo/restorer/target_folders.h"
#include "repo/restorer/target_metadata.h"

namespace restree {

class Restorer {
 public:
  // `target`: an absolute path.
  Restorer(Repository& repository, RestoreOptions options, RestoreListener& listener,
           std::string target);
  ~Restorer();

  // Once. `tree`: its nodes become entries of the target; the target's own metadata stays as it is.
  Status restore(const BlobId& tree);
  // After restore(): reads back the files that it wrote; returns how many of them are right.
  Result<std::uint64_t> verify();

  const RestoreFigures& figures() const { return figures_; }

 private:
  enum class Fate : std::uint8_t {
    kWrite,     // content and metadata
    kMetadata,  // the content is right
    kLeave,     // stays as it is
    kLink,      // becomes another name of a file before it
  };
  struct PlannedFile {
    Fate fate = Fate::kLeave;
    std::uint32_t first_name = 0;         // kLink: the file that has the content
    std::unique_ptr<FileTask> task;       // kWrite, unless it is a dry run
    std::unique_ptr<EntryIdentity> kept;  // kMetadata, if other names may be linked to it
  };

  BulkOptions bulk_options() const;
  void fail(const std::string& location, const Error& error);
  void tell(RestoreAction action, RestoredKind kind, const PlannedItem& item, std::uint64_t size);
  Status stop_if_asked() const;

  void find_links();
  void find_other_first_names();
  Status decide_files();
  void decide(std::uint32_t number);
  Result<bool> may_overwrite(const PlannedItem& item);
  void keep(std::uint32_t number, const ExistingFile& existing);

  // restore_contents.cc
  struct WantedBlob {
    const BlobId& id;
    std::uint64_t position;
    std::uint64_t size;
    bool is_there;  // the existing file has it in its place
  };
  using VisitBlob = std::function<void(const WantedBlob&)>;
  Status write_files();
  Status write_contents();
  Status check_replacements();
  Status each_blob(const FileTask& task, const VisitBlob& visit) const;
  std::vector<LostRange> lost_ranges(std::uint32_t number) const;
  void want_blobs(std::uint32_t number, BulkLoader& loader);
  Status write_blob(std::span<const BlobUse> uses, const Result<ByteView>& blob);
  void finish_file(std::uint32_t number);
  void report_failure(std::uint32_t number);
  Error end_early(const Error& reason);

  // restore_rest.cc
  // A folder, and one inside it in which entries are made that then go into it.
  struct Workplace {
    std::uint32_t folder;
    TargetFolders::Handle around;
    PrivateFolder inside;
  };
  // Makes an entry of a name in a folder that no other user can change.
  using MakeEntry = std::function<Status(const UniqueFd& folder, const std::string& name)>;
  Status make_entry(const PlannedItem& item, const MakeEntry& make);
  Result<const UniqueFd*> workplace_in(std::uint32_t folder);
  Status make_links();
  Status make_link(std::uint32_t number);
  Status make_others();
  Status make_other(const PlannedItem& item);
  Status finish_folders();
  Status remove_unexpected(std::uint32_t folder);

  Repository& repository_;
  const RestoreOptions options_;
  RestoreListener& listener_;
  const std::string target_;
  RestoreFigures figures_;
  TargetMetadata metadata_;
  // Made by restore(), in this order: each refers to those before it. Only then is anything else
  // of the restore called.
  std::unique_ptr<const RestorePlan> plan_;
  std::unique_ptr<SharedNames> shared_names_;
  std::unique_ptr<TargetFolders> folders_;
  std::unique_ptr<TargetFiles> target_files_;
  std::vector<PlannedFile> files_;  // in the order of the plan's files
  std::optional<Workplace> workplace_;
  // Of files that cannot be restored whole: the positions of blobs that could not be read.
  Guarded<std::unordered_map<std::uint32_t, std::vector<std::uint64_t>>> unread_;
};

}  // namespace restree
