// What this run sees of a repository, and the journal in which that is kept on this machine.
//
//   VisitRecord record;
//   opening.in_front = record.decorator();
//   … open the repository, then record.watch(*repository, {address});
//   … at the end: record.keep("snapshots");
//
// Nothing is asked of the storage for it: only what the run lists, reads, writes and removes anyway is
// noted. One file for each repository at each address, journal/ID.… in the folder for state, since a
// repository and its copy have one id; journal/addresses has a note of the repository at each address.
//
// Ownership: the repository must outlive it, or be released with the last call.
// Threads:   one; what it has put in front of a storage is called by any.
// Limits:    waits a second at most for another process that keeps the same journal.
// Errors:    those of JournalFile. None of them is a reason for a command to fail.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/journal/journal_file.h"
#include "repo/journal/known_state.h"
#include "repo/journal/visit.h"
#include "repo/repository.h"
#include "repo/storage/decorators/noting_storage.h"

namespace restree {

class VisitRecord {
 public:
  std::function<std::shared_ptr<Storage>(std::shared_ptr<Storage>)> decorator();
  // Config or keys that do not come from the storage are not noted.
  struct From {
    std::string address;  // the same text for the same location
    bool has_config = true;
    bool has_keys = true;
  };
  void watch(Repository& repository, From from);

  // What the run has found out besides.
  void note_index(const SeenIndex& index) { index_ = index; }
  void note_missing(SeenMissing missing) { missing_ = std::move(missing); }

  // Appends what was seen since the journal's last entry, unless that is nothing and a day has not
  // passed. Without a watched repository, or from its cache alone: nothing is done.
  Status keep(const std::string& command);
  // The files that are there and were seen by then. kNotFound: no visit was made by then.
  Result<SeenBy> seen_by(std::int64_t time) const;
  // The journal of the watched repository.
  Result<JournalFile> open_journal() const;

 private:
  struct Noted {
    std::vector<SeenSnapshot> snapshots;
  };
  Visit visit(const std::string& command, std::int64_t last_time) const;
  Status keep_removal(FileType type) const;

  std::shared_ptr<NotingStorage> noting_;
  Repository* repository_ = nullptr;
  From from_;
  std::optional<SeenIndex> index_;
  std::optional<SeenMissing> missing_;
  std::shared_ptr<Guarded<Noted>> noted_ = std::make_shared<Guarded<Noted>>();
};

}  // namespace restree
