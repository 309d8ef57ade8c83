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
// A repository that has lost its config goes on in the file that it had, and so does one whose config this
// machine has made anew: its id is another one then.
//
// Ownership: the repository must outlive it, or be released with the last call.
// Threads:   one; what it has put in front of a storage is called by any.
// Limits:    waits a second at most for another process that keeps the same journal.
// Errors:    those of JournalFile. None of them is a reason for a command to fail.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/crypto/sha256.h"
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
  // passed. Without a watched repository, or from its cache alone: nothing is done. Called again, it is
  // about what was listed since.
  Status keep(const std::string& command);
  // The same; and how many findings of the whole journal somebody has to look at. nullopt: nothing was
  // done.
  Result<std::optional<std::uint64_t>> keep_and_count(const std::string& command);
  // Whether keep() would have something to say: other names were listed than at the last one.
  bool has_news() const;
  // Whether another process has written to the journal since the last keep().
  bool have_others_written() const;
  // The files that are there and were seen by then. kNotFound: no visit was made by then.
  Result<SeenBy> seen_by(std::int64_t time) const;
  // The journal of the watched repository.
  Result<JournalFile> open_journal() const;

  // This machine has made a new repository at that address: the one that was there before is not missed.
  static Status note_new(const std::string& address, const RepositoryId& id);

 private:
  struct Noted {
    std::vector<SeenSnapshot> snapshots;
  };
  struct OpenedJournal {
    JournalFile file;
    bool is_of_earlier_id =
        false;  // the repository had that id here before, or has it without its config
  };
  Result<OpenedJournal> find_journal() const;
  // nullopt: nothing was to be done.
  Result<std::optional<JournalFile>> keep_in_journal(const std::string& command);
  bool has_written_config() const;
  Visit visit(const std::string& command, std::int64_t last_time, const FileStamp& journal) const;
  void begin_anew(const Visit& kept, const JournalFile& journal);
  Status keep_removal(FileType type) const;

  std::shared_ptr<NotingStorage> noting_;
  Repository* repository_ = nullptr;
  From from_;
  std::optional<SeenIndex> index_;
  std::optional<SeenMissing> missing_;
  std::map<FileType, Sha256Digest> kept_names_;  // of the listings that the last keep() has taken
  std::string journal_path_;                     // empty: keep() was not called
  FileStamp journal_stamp_;                      // after the last keep()
  std::shared_ptr<Guarded<Noted>> noted_ = std::make_shared<Guarded<Noted>>();
};

}  // namespace restree
