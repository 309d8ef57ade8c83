#include "program/visit_record.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "program/state_folder.h"
#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/base/path.h"
#include "repo/crypto/sha256.h"
#include "repo/identity.h"
#include "repo/journal/comparison.h"
#include "repo/storage/private_file.h"

namespace restree {
namespace {

constexpr std::chrono::seconds kPatience{1};
// An entry that says only that somebody was there is written this often.
constexpr std::int64_t kBetweenBareEntries = 24 * 3600;
constexpr std::uint64_t kMostNoteBytes = 128;
constexpr std::size_t kAddressDigits = 16;

Result<std::string> journal_folder() {
  ASSIGN_OR_RETURN(const std::string state, state_folder());
  return join_path(state, "journal");
}

Result<std::string> address_path(const std::string& address) {
  ASSIGN_OR_RETURN(const std::string folder, journal_folder());
  return join_path(join_path(folder, "addresses"), to_hex(sha256(as_bytes(address))));
}

// The repository that was last seen there.
std::optional<RepositoryId> noted_at(const std::string& address) {
  const Result<std::string> path = address_path(address);
  if (!path) return std::nullopt;
  const Result<std::string> note = read_private_file(*path, kMostNoteBytes);
  return note ? RepositoryId::parse(*note) : std::nullopt;
}

Status note_at(const std::string& address, const RepositoryId& id) {
  ASSIGN_OR_RETURN(const std::string path, address_path(address));
  return write_private_file(path, as_bytes(id.hex()));
}

std::string journal_path(const std::string& folder, const RepositoryId& id,
                         const std::string& address) {
  return join_path(folder,
                   id.hex() + "." + to_hex(sha256(as_bytes(address))).substr(0, kAddressDigits));
}

// nullopt: the journal is not there, or the key of the repository does not open it.
std::optional<JournalFile> open_if_own(const std::string& path, const Repository& repository) {
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return std::nullopt;
  Result<JournalFile> file = JournalFile::open(path, repository, Deadline::after(kPatience));
  if (!file || file->entries().empty()) return std::nullopt;
  return std::move(*file);
}

std::vector<JournalId> ids_of(const std::set<std::string>& names) {
  std::vector<JournalId> ids;
  ids.reserve(names.size());
  for (const std::string& name : names) {
    if (const auto id = JournalId::parse(name)) ids.push_back(*id);
  }
  return ids;
}

std::int64_t seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// A listing from before the journal's last entry is not compared: others have seen later ones since. Of
// entries of the same second the time at which the file was written tells. A clock that was set back makes
// every listing look like that, so it must not have been.
bool is_stale(std::chrono::system_clock::time_point listed_at, std::int64_t last_time,
              std::int64_t now, const FileStamp& journal) {
  const std::int64_t seconds = seconds_of(listed_at);
  if (last_time > now || seconds > last_time) return false;
  return seconds < last_time ||
         listed_at.time_since_epoch() < std::chrono::nanoseconds(journal.changed_ns);
}

constexpr FileType kListedTypes[] = {FileType::kKey, FileType::kIndex, FileType::kSnapshot};

Sha256Digest digest_of(const std::set<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += name + "\n";
  return sha256(as_bytes(all));
}

}  // namespace

std::function<std::shared_ptr<Storage>(std::shared_ptr<Storage>)> VisitRecord::decorator() {
  return [this](std::shared_ptr<Storage> storage) {
    noting_ = std::make_shared<NotingStorage>(std::move(storage), [this](FileType type) {
      Status kept;
      try {
        kept = keep_removal(type);
      } catch (const std::exception& failure) {
        kept = error_of(failure);
      }
      if (!kept) log::info("{}", kept.error().message());
    });
    return noting_;
  };
}

void VisitRecord::watch(Repository& repository, From from) {
  repository_ = &repository;
  from_ = std::move(from);
  repository.watch_snapshots([noted = noted_](const Snapshot& snapshot) {
    noted->lock()->snapshots.push_back(seen_snapshot(snapshot));
  });
}

bool VisitRecord::has_written_config() const {
  return noting_ != nullptr && !noting_->noted(FileType::kConfig).written.empty();
}

Result<VisitRecord::OpenedJournal> VisitRecord::find_journal() const {
  if (repository_ == nullptr) return Error(ErrorKind::kInvalid, "no repository is open");
  ASSIGN_OR_RETURN(const std::string folder, journal_folder());
  const RepositoryId& id = repository_->config().id;
  const std::string path = journal_path(folder, id, from_.address);
  const auto earlier = noted_at(from_.address);
  const bool has_lost_id = !from_.has_config || has_written_config();
  if (has_lost_id && earlier && *earlier != id) {
    const std::string before = journal_path(folder, *earlier, from_.address);
    std::optional<JournalFile> file = open_if_own(before, *repository_);
    if (file && from_.has_config) {
      RETURN_IF_ERROR(file->move_to(path));
      RETURN_IF_ERROR(note_at(from_.address, id));
    }
    if (file) return OpenedJournal{std::move(*file), true};
  }
  ASSIGN_OR_RETURN(JournalFile file,
                   JournalFile::open(path, *repository_, Deadline::after(kPatience)));
  return OpenedJournal{std::move(file), false};
}

Result<JournalFile> VisitRecord::open_journal() const {
  ASSIGN_OR_RETURN(OpenedJournal journal, find_journal());
  return std::move(journal.file);
}

Status VisitRecord::note_new(const std::string& address, const RepositoryId& id) {
  return note_at(address, id);
}

Result<SeenBy> VisitRecord::seen_by(std::int64_t time) const {
  ASSIGN_OR_RETURN(const JournalFile journal, open_journal());
  KnownState state;
  for (const JournalEntry& entry : journal.entries()) state.apply(entry);
  if (state.is_empty || state.first_time > time) {
    return Error(ErrorKind::kNotFound, "this machine had not seen the repository by then")
        .hinting("restree audit says since when it has.");
  }
  return restree::seen_by(state, time);
}

Visit VisitRecord::visit(const std::string& command, std::int64_t last_time,
                         const FileStamp& journal) const {
  const std::int64_t now = wall_clock_now().seconds;
  Visit visit{.time = now, .command = command, .index = index_, .missing = missing_};
  if (from_.has_config) {
    visit.config = SeenConfig{.hash = {sha256(repository_->config_file())},
                              .version = repository_->config().version};
  }
  visit.wrote_config = has_written_config();
  const std::pair<FileType, SeenFiles*> all[] = {{FileType::kKey, &visit.keys},
                                                 {FileType::kIndex, &visit.indexes},
                                                 {FileType::kSnapshot, &visit.snapshots}};
  for (const auto& [type, files] : all) {
    const NotingStorage::Noted noted = noting_->noted(type);
    const bool is_from_there = type != FileType::kKey || from_.has_keys;
    if (noted.listed && is_from_there && !is_stale(noted.listed_at, last_time, now, journal)) {
      files->listed = ids_of(*noted.listed);
      // What came while the run went on is new to the next one.
      visit.time = std::min(visit.time, seconds_of(noted.listed_at));
    }
    files->written = ids_of(noted.written);
    files->removed = ids_of(noted.removed);
  }
  visit.details = noted_->lock()->snapshots;
  return visit;
}

Result<std::optional<JournalFile>> VisitRecord::keep_in_journal(const std::string& command) {
  std::optional<JournalFile> nothing;
  if (repository_ == nullptr || noting_ == nullptr || repository_->is_offline()) return nothing;
  ASSIGN_OR_RETURN(OpenedJournal found, find_journal());
  JournalFile& journal = found.file;
  KnownState state;
  for (const JournalEntry& entry : journal.entries()) state.apply(entry);
  Visit seen = visit(command, state.last_time, journal.stamp_before());
  const RepositoryId& id = repository_->config().id;
  const auto earlier = noted_at(from_.address);
  const bool is_known = earlier == id || found.is_of_earlier_id;
  if (!is_known) seen.earlier_here = earlier;
  const JournalEntry entry = changes_since(state, seen);
  // Of an empty journal the last time is the least number there is: no difference to it can be taken.
  const bool is_recent = !state.is_empty && entry.time >= state.last_time &&
                         entry.time - state.last_time < kBetweenBareEntries;
  if (!is_bare(entry) || !is_recent) RETURN_IF_ERROR(journal.append(entry));
  begin_anew(seen, journal);
  if (!is_known) RETURN_IF_ERROR(note_at(from_.address, id));
  return std::optional(std::move(journal));
}

// What was not listed this time, or too early, stays to be kept.
void VisitRecord::begin_anew(const Visit& kept, const JournalFile& journal) {
  const std::pair<FileType, const SeenFiles*> all[] = {{FileType::kKey, &kept.keys},
                                                       {FileType::kIndex, &kept.indexes},
                                                       {FileType::kSnapshot, &kept.snapshots}};
  for (const auto& [type, files] : all) {
    const NotingStorage::Noted noted = noting_->noted(type);
    if (files->listed && noted.listed && ids_of(*noted.listed) == *files->listed) {
      kept_names_[type] = digest_of(*noted.listed);
    }
    noting_->forget_listed(type, noted.listed_at);
  }
  if (kept.snapshots.listed) {
    auto noted = noted_->lock();
    const auto taken = static_cast<std::ptrdiff_t>(kept.details.size());
    noted->snapshots.erase(noted->snapshots.begin(), noted->snapshots.begin() + taken);
  }
  journal_path_ = journal.path();
  journal_stamp_ = stamp_of(journal_path_);
}

Status VisitRecord::keep(const std::string& command) {
  RETURN_IF_ERROR(keep_in_journal(command));
  return {};
}

Result<std::optional<std::uint64_t>> VisitRecord::keep_and_count(const std::string& command) {
  std::optional<std::uint64_t> count;
  ASSIGN_OR_RETURN(const std::optional<JournalFile> journal, keep_in_journal(command));
  if (!journal) return count;
  const std::vector<Finding> findings = findings_of(journal->entries());
  count = static_cast<std::uint64_t>(std::ranges::count_if(
      findings, [](const Finding& one) { return one.weight != Weight::kRemark; }));
  return count;
}

bool VisitRecord::has_news() const {
  if (repository_ == nullptr || noting_ == nullptr || repository_->is_offline()) return false;
  const bool has_details = !noted_->lock()->snapshots.empty();
  if (journal_path_.empty() || has_details) return true;
  return std::ranges::any_of(kListedTypes, [&](FileType type) {
    const NotingStorage::Noted noted = noting_->noted(type);
    if (!noted.listed) return false;
    const auto kept = kept_names_.find(type);
    return kept == kept_names_.end() || kept->second != digest_of(*noted.listed);
  });
}

bool VisitRecord::have_others_written() const {
  return !journal_path_.empty() && stamp_of(journal_path_) != journal_stamp_;
}

Status VisitRecord::keep_removal(FileType type) const {
  const bool of_snapshots = type == FileType::kSnapshot;
  const bool of_indexes = type == FileType::kIndex;
  if (repository_ == nullptr || (!of_snapshots && !of_indexes)) return {};
  ASSIGN_OR_RETURN(JournalFile journal, open_journal());
  return journal.append(removal_entry(wall_clock_now().seconds, of_snapshots, of_indexes));
}

}  // namespace restree
