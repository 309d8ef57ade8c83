#include "repo/repository_keys.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/base/restic_words.h"
#include "repo/base/thread_pool.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/sha256.h"
#include "repo/format/key.h"

namespace restree {
namespace {

// restic's key files have about 450 bytes, and vary with the names of users and hosts.
constexpr std::uint64_t kMostKeyBytes = 64 << 10;
constexpr std::uint64_t kFewestLikelyBytes = 200;
constexpr std::uint64_t kMostLikelyBytes = 4 << 10;
constexpr std::size_t kParallelReads = 8;
constexpr std::size_t kNamedKeys = 5;

Error no_repository(const Storage& storage) {
  return Error(ErrorKind::kNoRepository,
               fmt::format(restic_words::kNoRepository.text,
                           "there is no config file in " + storage.description()))
      .hinting(fmt::format(restic_words::kIsThereARepository.text, storage.description()));
}

Error no_key_file(const Storage& storage) {
  return Error(ErrorKind::kWrongPassword, "no key file in " + storage.description() + "/keys")
      .hinting("This copy of the repository is not complete: no password opens it without a key.");
}

// Servers may list files without sizes. Then size_bytes is 0, and size() is kUnsupported.
Status expect_size(Storage& storage, const ListedFile& file, Deadline by) {
  std::uint64_t size = file.size_bytes;
  if (size == 0) {
    const Result<std::uint64_t> asked = storage.size({FileType::kKey, file.name}, by);
    if (!asked && asked.error().kind() == ErrorKind::kUnsupported) return {};
    RETURN_IF_ERROR(asked);
    size = *asked;
  }
  if (size == 0) return Error(ErrorKind::kCorrupt, "it is empty, or not a regular file");
  if (size <= kMostKeyBytes) return {};
  return Error(ErrorKind::kCorrupt, fmt::format("{} bytes are too many for a key file", size));
}

// By its size. What is far from it is read as well, but only after the others.
bool is_likely_a_key(const ListedFile& file) {
  return file.size_bytes >= kFewestLikelyBytes && file.size_bytes <= kMostLikelyBytes;
}

// A key file, read and understood.
struct Candidate {
  std::string name;
  Bytes bytes;
  KeyFile file;
};

Result<Candidate> read_candidate(Storage& storage, const ListedFile& listed, Deadline by) {
  ASSIGN_OR_RETURN(Bytes bytes, read_key_file(storage, listed, by));
  ASSIGN_OR_RETURN(KeyFile file, parse_key_file(bytes));
  return Candidate{listed.name, std::move(bytes), std::move(file)};
}

// True if reading the other key files would fail as well.
bool ends_the_search(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled;
}

// Advice about a repository in which no key can be used.
std::string hint_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kDenied:
      return "Give this user the permission to read the key files, or run as their owner.";
    case ErrorKind::kUnsupported:
      return "The program that made it can add a key with scrypt, which Restree and restic open.";
    default:
      return "If there is another copy of this repository, take its key files.";
  }
}

// The first ones in words, and how many more there are.
std::string in_words(const std::vector<Error>& errors) {
  std::string words;
  for (std::size_t i = 0; i < std::min(errors.size(), kNamedKeys); ++i) {
    words += (i == 0 ? "" : "; ") + errors[i].message();
  }
  if (errors.size() > kNamedKeys) words += fmt::format("; and {} more", errors.size() - kNamedKeys);
  return words;
}

// One password on its way through the key files of one repository.
class KeySearch {
 public:
  KeySearch(Storage& storage, ByteView config, const Secret& password, KeyLimits limits,
            Deadline by)
      : storage_(storage), config_(config), password_(password), limits_(limits), by_(by) {}

  // Tries the password on these key files, the cheapest first. nullopt: none of them opens.
  Result<std::optional<OpenedKey>> try_all(std::span<const ListedFile> files);
  // Names these among the keys that cannot be used, by their listed sizes.
  void refuse_unread(std::span<const ListedFile> files);
  // Logs the keys that could not be used, for a search that has found its key.
  void log_refused() const;
  // The result of a search among `count` key files that has found nothing.
  Result<OpenedKey> conclude(std::size_t count) &&;

 private:
  Result<std::vector<Candidate>> read(std::span<const ListedFile> files);
  // As many of the first ones as the limits still allow to be read.
  std::size_t allowed(std::span<const ListedFile> files);
  std::optional<OpenedKey> try_one(Candidate candidate);
  bool opens_config(const SealKey& master) const;
  void refuse(const std::string& name, Error error) {
    refused_.push_back(std::move(error).with("key " + name));
  }

  Storage& storage_;
  const ByteView config_;
  const Secret& password_;
  const KeyLimits limits_;
  const Deadline by_;
  std::size_t read_keys_ = 0;
  std::uint64_t read_bytes_ = 0;
  std::uint64_t spent_ = 0;
  std::size_t denied_ = 0;
  std::size_t untried_ = 0;
  std::vector<Error> refused_;
  std::optional<OpenedKey> misfit_;
};

std::size_t KeySearch::allowed(std::span<const ListedFile> files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::uint64_t listed = files[i].size_bytes;
    const std::uint64_t size = listed == 0 ? kMostKeyBytes : std::min(listed, kMostKeyBytes);
    if (read_keys_ == limits_.most_keys || size > limits_.most_bytes - read_bytes_) return i;
    ++read_keys_;
    read_bytes_ += size;
  }
  return files.size();
}

Result<std::vector<Candidate>> KeySearch::read(std::span<const ListedFile> files) {
  const std::size_t count = allowed(files);
  untried_ += files.size() - count;
  files = files.first(count);
  std::vector<Result<Candidate>> results(files.size());
  const std::size_t threads = storage_.read_habit().waits ? kParallelReads : 1;
  RETURN_IF_ERROR(parallel_for(files.size(), threads, [&](std::size_t i) -> Status {
    Result<Candidate> candidate = read_candidate(storage_, files[i], by_);
    if (!candidate && ends_the_search(candidate.error().kind())) return candidate.error();
    results[i] = std::move(candidate);
    return {};
  }));
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Result<Candidate>& candidate = results[i];
    if (candidate) {
      candidates.push_back(std::move(*candidate));
    } else {
      refuse(files[i].name, std::move(candidate).error());
    }
  }
  return candidates;
}

Result<std::optional<OpenedKey>> KeySearch::try_all(std::span<const ListedFile> files) {
  ASSIGN_OR_RETURN(std::vector<Candidate> candidates, read(files));
  const auto order = [](const Candidate& candidate) {
    return std::make_tuple(scrypt_cost(candidate.file.parameters), std::cref(candidate.name));
  };
  std::sort(candidates.begin(), candidates.end(),
            [&](const Candidate& a, const Candidate& b) { return order(a) < order(b); });
  for (Candidate& candidate : candidates) {
    if (auto key = try_one(std::move(candidate))) return key;
  }
  return std::optional<OpenedKey>();
}

std::optional<OpenedKey> KeySearch::try_one(Candidate candidate) {
  if (Status usable = check_scrypt(candidate.file.parameters); !usable) {
    refuse(candidate.name, std::move(usable).error());
    return std::nullopt;
  }
  const std::uint64_t cost = scrypt_cost(candidate.file.parameters);
  if (cost > limits_.most_cost - spent_) {
    ++untried_;
    return std::nullopt;
  }
  spent_ += cost;
  Result<SealKey> master = open_key_file(candidate.file, password_);
  if (!master && master.error().kind() == ErrorKind::kWrongPassword) {
    ++denied_;
    return std::nullopt;
  }
  if (!master) {
    refuse(candidate.name, std::move(master).error());
    return std::nullopt;
  }
  OpenedKey key{std::move(*master), std::move(candidate.name), std::move(candidate.bytes)};
  if (opens_config(key.master)) return key;
  refuse(key.name, {ErrorKind::kCorrupt,
                    "the password opens it, but it does not open the config "
                    "file: it may be the key of another repository"});
  if (!misfit_) misfit_ = std::move(key);
  return std::nullopt;
}

bool KeySearch::opens_config(const SealKey& master) const {
  Bytes copy = Bytes::copy_of(config_);
  return open_in_place(master, copy.view()).has_value();
}

void KeySearch::refuse_unread(std::span<const ListedFile> files) {
  for (const ListedFile& file : files) {
    const std::string size =
        file.size_bytes == 0
            ? "it is empty"
            : fmt::format("{} bytes are not the size of a key file", file.size_bytes);
    refuse(file.name, {ErrorKind::kCorrupt, size});
  }
}

void KeySearch::log_refused() const {
  std::vector<Error> of_concern;
  for (const Error& error : refused_) {
    // Keys that other programs added, and those removed since they were listed, are no trouble.
    if (error.kind() == ErrorKind::kNotFound || error.kind() == ErrorKind::kUnsupported) {
      log::info("{}: {}", storage_.description(), error.message());
    } else {
      of_concern.push_back(error);
    }
  }
  if (of_concern.empty()) return;
  log::warning("{}: opened with another key, as not all can be used: {}", storage_.description(),
               in_words(of_concern));
}

Result<OpenedKey> KeySearch::conclude(std::size_t count) && {
  if (misfit_) return std::move(*misfit_);
  const std::string place = storage_.description();
  if (denied_ == 0 && untried_ == 0) {
    const auto first = std::find_if(refused_.begin(), refused_.end(), [](const Error& error) {
      return error.kind() != ErrorKind::kNotFound;
    });
    // All of them were removed after they had been listed.
    if (first == refused_.end()) return no_key_file(storage_);
    const std::string subject =
        count == 1 ? "the only key file of " + place + " cannot"
                   : fmt::format("none of the {} key files of {} can", count, place);
    return Error(first->kind(), subject + " be used: " + in_words(refused_))
        .hinting(hint_for(first->kind()));
  }
  std::string words = std::string(restic_words::kWrongPassword.text) + ": it ";
  words += count == 1 ? "does not open the only key file of " + place
                      : fmt::format("opens none of the {} key files of {}", count, place);
  std::string hint;
  if (untried_ > 0) {
    words += fmt::format("; {} of them were not tried, which would take too long", untried_);
    hint = "A hint (RESTIC_KEY_HINT) names the key to try first.";
  }
  if (!refused_.empty()) {
    words += fmt::format("; {} of them cannot be used: {}", refused_.size(), in_words(refused_));
    if (hint.empty()) hint = "If the password is right, its key may be one that cannot be used.";
  }
  return Error(ErrorKind::kWrongPassword, std::move(words)).hinting(std::move(hint));
}

}  // namespace

Result<Bytes> read_config_file(Storage& storage, Deadline by) {
  Result<Bytes> file = storage.read_all({FileType::kConfig, ""}, by);
  if (!file && file.error().kind() == ErrorKind::kNotFound) return no_repository(storage);
  if (file && file->empty()) {
    return Error(ErrorKind::kCorrupt, "the config file of " + storage.description() + " is empty");
  }
  return file;
}

Result<Bytes> read_key_file(Storage& storage, const ListedFile& file, Deadline by) {
  RETURN_IF_ERROR(expect_size(storage, file, by));
  ASSIGN_OR_RETURN(Bytes bytes, storage.read_all({FileType::kKey, file.name}, by));
  if (to_hex(sha256(bytes)) == file.name) return bytes;
  return Error(ErrorKind::kCorrupt, "it is damaged: its hash is not its name");
}

Result<OpenedKey> find_master_key(Storage& storage, ByteView config, const Secret& password,
                                  const std::string& hint, Deadline by, KeyLimits limits) {
  ASSIGN_OR_RETURN(std::vector<ListedFile> files, storage.list(FileType::kKey, by));
  if (files.empty()) return no_key_file(storage);
  const auto is_hinted = [&](const ListedFile& file) {
    return !hint.empty() && file.name.starts_with(hint);
  };
  std::sort(files.begin(), files.end(),
            [](const ListedFile& a, const ListedFile& b) { return a.name < b.name; });
  const auto likely = std::stable_partition(files.begin(), files.end(), is_hinted);
  const auto others = std::stable_partition(likely, files.end(), is_likely_a_key);
  KeySearch search(storage, config, password, limits, by);
  // In rounds, so that a right hint costs one read, and no heap of other files keeps a key away.
  const std::span<const ListedFile> last(others, files.end());
  for (const std::span<const ListedFile> round :
       {std::span<const ListedFile>(files.begin(), likely),
        std::span<const ListedFile>(likely, others), last}) {
    ASSIGN_OR_RETURN(std::optional<OpenedKey> key, search.try_all(round));
    if (!key) continue;
    if (is_likely_a_key(round.front()) && !is_hinted(round.front())) search.refuse_unread(last);
    search.log_refused();
    return std::move(*key);
  }
  return std::move(search).conclude(files.size());
}

}  // namespace restree
