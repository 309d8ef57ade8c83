#include "repo/storage/decorators/confirmed_storage.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace restree {
namespace {

const FileName kConfigFile{FileType::kConfig, ""};

std::size_t place_of(FileType type) { return static_cast<std::size_t>(type); }

std::vector<std::uint64_t> beginnings_of(const std::vector<ListedFile>& files) {
  constexpr std::size_t kDigits = 16;
  std::vector<std::uint64_t> names;
  names.reserve(files.size());
  for (const ListedFile& file : files) {
    std::uint64_t name = 0;
    const std::string_view digits = std::string_view(file.name).substr(0, kDigits);
    std::from_chars(digits.data(), digits.data() + digits.size(), name, 16);
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void ConfirmedStorage::remember(ByteView config, const std::string& key_name) {
  auto state = state_.lock();
  state->config = std::string(as_text(config));
  state->key_name = key_name;
}

Status ConfirmedStorage::probe(Deadline by) {
  if (is_known()) return confirm(by);
  const auto size = inner().size(kConfigFile, by);
  if (!size) return size.error();
  return {};
}

Error ConfirmedStorage::away(const std::string& why) {
  on_away_(why);
  return {ErrorKind::kUnavailable, fmt::format("{}: {}", description(), why)};
}

Status ConfirmedStorage::confirm(Deadline by) {
  Result<Bytes> read = inner().read_all(kConfigFile, by);
  // For a moment this process may have no descriptor or memory left.
  if (!read && read.error().kind() == ErrorKind::kLocalIo) {
    read = inner().read_all(kConfigFile, by);
  }
  if (read) {
    const bool is_same = state_.lock()->config == as_text(*read);
    return is_same ? Status() : confirm_by_key(by);
  }
  switch (read.error().kind()) {
    case ErrorKind::kNotFound:
      return away("the repository is not there any more: no config file (is its disk mounted?)");
    case ErrorKind::kCorrupt:  // it is being written, or its disk fails
      return confirm_by_key(by);
    case ErrorKind::kLocalIo:
      return away("the repository cannot be read any more: " + read.error().message());
    default:
      return read.error();
  }
}

Status ConfirmedStorage::confirm_by_key(Deadline by) {
  const std::string name = state_.lock()->key_name;
  if (!name.empty()) {
    // Its bytes and not its size, which a disk that fails may still be able to give.
    const auto key = inner().read_all({FileType::kKey, name}, by);
    if (key) return {};
    const ErrorKind kind = key.error().kind();
    if (kind == ErrorKind::kCorrupt || kind == ErrorKind::kLocalIo) {
      return away("the repository cannot be read any more: " + key.error().message());
    }
    if (kind != ErrorKind::kNotFound) return key.error();
  }
  return away(
      "another repository lies there now: neither its config file nor its key file is the one "
      "that was opened (is the right disk mounted?)");
}

template <class Call>
auto ConfirmedStorage::confirmed(const FileName& file, Deadline by, Call call) -> decltype(call()) {
  for (bool again = false;; again = true) {
    auto result = call();
    if (result || file.type == FileType::kConfig || !is_known()) return result;
    const ErrorKind kind = result.error().kind();
    const bool may_be_gone = kind == ErrorKind::kNotFound;
    if (!may_be_gone && kind != ErrorKind::kLocalIo && kind != ErrorKind::kCorrupt) return result;
    RETURN_IF_ERROR(confirm(by));
    // A call that the local disk refuses (it is full, for example) is not repeated.
    if (again || !may_be_gone) return result;
  }
}

std::optional<bool> ConfirmedStorage::was_last_empty(FileType type) const {
  const auto state = state_.lock();
  const std::optional<Names>& before = state->last_listed.at(place_of(type));
  return before ? std::optional(before->empty()) : std::nullopt;
}

bool ConfirmedStorage::is_doubtful(FileType type, const Names& names) const {
  if (type == FileType::kPack) return true;
  const auto state = state_.lock();
  const std::optional<Names>& before = state->last_listed.at(place_of(type));
  // Mostly there are no locks at first, and a command that finds none writes one next.
  if (names.empty()) return before || type != FileType::kLock;
  if (!before || before->empty()) return type == FileType::kSnapshot;
  return !std::includes(names.begin(), names.end(), before->begin(), before->end());
}

Result<std::vector<ListedFile>> ConfirmedStorage::list(FileType type, Deadline by) {
  if (!is_known()) return inner().list(type, by);
  const std::optional<bool> was_last_empty = this->was_last_empty(type);
  bool was_empty = was_last_empty.value_or(false);
  // Whether the config was seen before the listing, as it was before the first one; where the last
  // one was empty, nothing can be lost.
  bool is_after_config = was_last_empty.value_or(true);
  if (type == FileType::kPack) {
    RETURN_IF_ERROR(confirm(by));
    is_after_config = true;
  }
  for (;;) {
    auto listed =
        confirmed({type, std::string()}, by, [this, type, by] { return inner().list(type, by); });
    RETURN_IF_ERROR(listed);
    Names names = beginnings_of(*listed);
    if (is_doubtful(type, names)) {
      RETURN_IF_ERROR(confirm(by));
      // A folder that is missing for a moment is an empty listing, so one of these is not enough.
      const bool is_believed = is_after_config && (!names.empty() || was_empty);
      is_after_config = true;
      was_empty = names.empty();
      if (!is_believed) continue;
    }
    if (type != FileType::kPack) {
      state_.lock()->last_listed.at(place_of(type)) = std::move(names);
    }
    return listed;
  }
}

Result<std::uint64_t> ConfirmedStorage::size(const FileName& file, Deadline by) {
  return confirmed(file, by, [&] { return inner().size(file, by); });
}

Result<Bytes> ConfirmedStorage::read(const FileName& file, ByteRange range, Deadline by) {
  return confirmed(file, by, [&] { return inner().read(file, range, by); });
}

Result<MutableByteView> ConfirmedStorage::read_into(Bytes& buffer, const FileName& file,
                                                    ByteRange range, Deadline by) {
  return confirmed(file, by, [&] { return inner().read_into(buffer, file, range, by); });
}

Result<Bytes> ConfirmedStorage::read_all(const FileName& file, Deadline by) {
  auto content = confirmed(file, by, [&] { return inner().read_all(file, by); });
  if (content && file.type == FileType::kConfig) {
    auto state = state_.lock();
    if (!state->config) state->config = std::string(as_text(*content));
  }
  return content;
}

Status ConfirmedStorage::write(const FileName& file, ByteView content, Deadline by) {
  const auto put = [&] { return inner().write(file, content, by); };
  if (!is_known()) return put();
  const bool is_near = !inner().read_habit().waits;
  const bool names_others = file.type == FileType::kIndex || file.type == FileType::kSnapshot;
  if (is_near || names_others) RETURN_IF_ERROR(confirm(by));
  RETURN_IF_ERROR(confirmed(file, by, put));
  if (is_near || file.type == FileType::kSnapshot) return confirm(by);
  return {};
}

Status ConfirmedStorage::remove(const FileName& file, Deadline by) {
  return confirmed(file, by, [&] { return inner().remove(file, by); });
}

}  // namespace restree
