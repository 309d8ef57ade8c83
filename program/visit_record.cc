#include "program/visit_record.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <set>
#include <utility>

#include "program/state_folder.h"
#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/base/path.h"
#include "repo/crypto/sha256.h"
#include "repo/identity.h"
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

// A listing from before the journal's last entry is not compared: others have seen later ones since.
// A clock that was set back makes every listing look like that, so it must not have been.
bool is_stale(std::int64_t listed_at, std::int64_t last_time, std::int64_t now) {
  return listed_at < last_time && last_time <= now;
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

Result<JournalFile> VisitRecord::open_journal() const {
  if (repository_ == nullptr) return Error(ErrorKind::kInvalid, "no repository is open");
  ASSIGN_OR_RETURN(const std::string folder, journal_folder());
  const std::string name = repository_->config().id.hex() + "." +
                           to_hex(sha256(as_bytes(from_.address))).substr(0, kAddressDigits);
  return JournalFile::open(join_path(folder, name), *repository_, Deadline::after(kPatience));
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

Visit VisitRecord::visit(const std::string& command, std::int64_t last_time) const {
  const std::int64_t now = wall_clock_now().seconds;
  Visit visit{.time = now, .command = command, .index = index_, .missing = missing_};
  if (from_.has_config) {
    visit.config = SeenConfig{.hash = {sha256(repository_->config_file())},
                              .version = repository_->config().version};
  }
  visit.wrote_config = !noting_->noted(FileType::kConfig).written.empty();
  const std::pair<FileType, SeenFiles*> all[] = {{FileType::kKey, &visit.keys},
                                                 {FileType::kIndex, &visit.indexes},
                                                 {FileType::kSnapshot, &visit.snapshots}};
  for (const auto& [type, files] : all) {
    const NotingStorage::Noted noted = noting_->noted(type);
    const std::int64_t listed_at = seconds_of(noted.listed_at);
    const bool is_from_there = type != FileType::kKey || from_.has_keys;
    if (noted.listed && is_from_there && !is_stale(listed_at, last_time, now)) {
      files->listed = ids_of(*noted.listed);
      // What came while the run went on is new to the next one.
      visit.time = std::min(visit.time, listed_at);
    }
    files->written = ids_of(noted.written);
    files->removed = ids_of(noted.removed);
  }
  visit.details = noted_->lock()->snapshots;
  return visit;
}

Status VisitRecord::keep(const std::string& command) {
  if (repository_ == nullptr || noting_ == nullptr || repository_->is_offline()) return {};
  ASSIGN_OR_RETURN(JournalFile journal, open_journal());
  KnownState state;
  for (const JournalEntry& entry : journal.entries()) state.apply(entry);
  Visit seen = visit(command, state.last_time);
  const RepositoryId& id = repository_->config().id;
  const auto earlier = noted_at(from_.address);
  if (earlier != id) seen.earlier_here = earlier;
  const JournalEntry entry = changes_since(state, seen);
  // Of an empty journal the last time is the least number there is: no difference to it can be taken.
  const bool is_recent = !state.is_empty && entry.time >= state.last_time &&
                         entry.time - state.last_time < kBetweenBareEntries;
  if (!is_bare(entry) || !is_recent) RETURN_IF_ERROR(journal.append(entry));
  return earlier == id ? Status() : note_at(from_.address, id);
}

Status VisitRecord::keep_removal(FileType type) const {
  const bool of_snapshots = type == FileType::kSnapshot;
  const bool of_indexes = type == FileType::kIndex;
  if (repository_ == nullptr || (!of_snapshots && !of_indexes)) return {};
  ASSIGN_OR_RETURN(JournalFile journal, open_journal());
  return journal.append(removal_entry(wall_clock_now().seconds, of_snapshots, of_indexes));
}

}  // namespace restree
