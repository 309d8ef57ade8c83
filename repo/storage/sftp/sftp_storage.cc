#include "repo/storage/sftp/sftp_storage.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "repo/base/log.h"
#include "repo/storage/sftp/sftp_listing.h"

namespace restree {
namespace {

// Of both kinds that a storage remembers.
constexpr std::size_t kMostRememberedPaths = 1000;
constexpr std::size_t kMostExpected = 64;

}  // namespace

SftpStorage::SftpStorage(std::unique_ptr<SftpPool> pool, std::string root, std::string description)
    : pool_(std::move(pool)), root_(std::move(root)), description_(std::move(description)) {}

bool SftpStorage::is_unanswered(const Error& error, const SftpClient& client, Deadline by) {
  return error.kind() == ErrorKind::kUnavailable && (!client.alive() || by.expired());
}

Result<std::vector<ListedFile>> SftpStorage::list(FileType type, Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  std::vector<ListedFile> files;
  std::unordered_set<std::string> seen;
  std::vector<std::string> links;
  const auto take_odd = [&](const std::string& path, const Error& why) {
    if (type != FileType::kSnapshot) return odd_files_.warn_once(path, why);
    files.push_back({path.substr(path.rfind('/') + 1), 0});
    odd_snapshots_.lock()->insert(path);
  };
  const auto take = [&](const std::string& folder, sftp::Entry&& entry) {
    if (!is_repository_name(entry.name) || !seen.insert(entry.name).second) return;
    const std::string path = folder + "/" + entry.name;
    if (entry.attributes.is_link()) {
      links.push_back(path);
    } else if (entry.attributes.may_be_file()) {
      files.push_back(
          {std::move(entry.name), entry.attributes.size.value_or(0), entry.attributes.modified});
    } else {
      take_odd(path, expect_regular(path, *entry.attributes.permissions).error());
    }
  };
  const std::string top = root_ + "/" + std::string(directory_of(type));
  if (type != FileType::kPack) {
    RETURN_IF_ERROR(list_folders(client, {top}, take, by));
    RETURN_IF_ERROR(follow_links(client, links, files, take_odd, by));
    return files;
  }
  std::vector<std::string> folders;
  const auto take_folder = [&](const std::string& parent, sftp::Entry&& entry) {
    if (entry.name == "." || entry.name == ".." || !entry.attributes.may_be_directory()) return;
    folders.push_back(parent + "/" + entry.name);
  };
  RETURN_IF_ERROR(list_folders(client, {top}, take_folder, by));
  RETURN_IF_ERROR(list_folders(client, folders, take, by));
  RETURN_IF_ERROR(follow_links(client, links, files, take_odd, by));
  return files;
}

Status SftpStorage::follow_links(SftpClient& client, const std::vector<std::string>& links,
                                 std::vector<ListedFile>& into, const TakeOdd& take_odd,
                                 Deadline by) {
  for (const std::string& link : links) {
    const auto target = client.stat(link, by);
    if (!target && is_unanswered(target.error(), client, by)) return target.error();
    if (target && target->may_be_file()) {
      into.push_back(
          {link.substr(link.rfind('/') + 1), target->size.value_or(0), target->modified});
      continue;
    }
    // OpenSSH's server has the same answer for a link in a circle.
    const bool leads_nowhere = !target && target.error().kind() == ErrorKind::kNotFound;
    Status odd = target.has_value() ? expect_regular(link, *target->permissions) : target.error();
    if (leads_nowhere) odd = expect_regular(link, S_IFLNK);
    take_odd(link, odd.error());
  }
  return {};
}

Status SftpStorage::expect_file(SftpClient& client, const std::string& path, Deadline by) const {
  auto attributes = client.stat(path, by);
  // A link that leads nowhere is no file, but it is there.
  if (!attributes && attributes.error().kind() == ErrorKind::kNotFound) {
    attributes = client.lstat(path, by);
  }
  if (!attributes) return attributes.error();
  return attributes->may_be_file() ? Status() : expect_regular(path, *attributes->permissions);
}

template <class Attempt>
auto SftpStorage::judged(const FileName& file, Deadline by, Attempt attempt)
    -> decltype(attempt(std::declval<SftpConnection&>())) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  const std::string path = path_of(file);
  const auto note_unanswered = [&](const Error& error) {
    if (!is_unanswered(error, client, by)) return false;
    auto unanswered = unanswered_.lock();
    if (unanswered->size() >= kMostRememberedPaths) unanswered->clear();
    unanswered->insert(path);
    return true;
  };
  const bool was_unanswered = unanswered_.lock()->contains(path);
  const bool was_odd = odd_snapshots_.lock()->contains(path);
  if (was_unanswered || was_odd) {
    const Status is_file = expect_file(client, path, by);
    // A link that leads in a circle has no attributes; to open it fails at once.
    const bool is_circle = !is_file && is_file.error().kind() == ErrorKind::kUnavailable &&
                           !is_unanswered(is_file.error(), client, by);
    if (!is_file && !is_circle) return is_file.error();
    if (is_file) {
      unanswered_.lock()->erase(path);
      odd_snapshots_.lock()->erase(path);
    }
  }
  auto first = attempt(*connection);
  if (first || first.error().kind() != ErrorKind::kUnavailable) return first;
  if (note_unanswered(first.error())) return first;
  // Maybe the server holds no more files open, whichever connection has opened them.
  for (const auto& each : pool_->all()) each->forget_idle();
  const Status is_file = expect_file(client, path, by);
  if (!is_file && is_file.error().kind() != ErrorKind::kUnavailable) return is_file.error();
  auto second = attempt(*connection);
  if (second || second.error().kind() != ErrorKind::kUnavailable) return second;
  if (note_unanswered(second.error()) || file.type == FileType::kConfig) return second;
  const FileName config{FileType::kConfig, ""};
  auto handle = client.open(path_of(config), sftp::kOpenRead, by);
  if (!handle) return second;
  const auto content = client.read_to_end(*handle, most_file_bytes(config.type), by);
  client.close_later(*handle);
  if (!content) return second;
  return Error(ErrorKind::kCorrupt,
               second.error().message() + ", while the server can read other files");
}

Result<std::uint64_t> SftpStorage::size(const FileName& file, Deadline by) {
  return judged(file, by, [&](SftpConnection& connection) -> Result<std::uint64_t> {
    const std::string path = path_of(file);
    const auto attributes = connection.client().stat(path, by);
    if (!attributes) return explain_missing(connection.client(), attributes.error(), by);
    if (!attributes->may_be_file()) return expect_regular(path, *attributes->permissions).error();
    if (attributes->size) return *attributes->size;
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{}: the server does not report the size of files", description_));
  });
}

Result<Bytes> SftpStorage::read(const FileName& file, ByteRange range, Deadline by) {
  const std::string path = path_of(file);
  if (range.length == 0) {
    // There is nothing to read, but a missing file and a place beyond the end are errors all the
    // same.
    ASSIGN_OR_RETURN(const std::uint64_t end, size(file, by));
    if (range.offset <= end) return Bytes();
    return Error(ErrorKind::kCorrupt, fmt::format("read {}: end of file", path));
  }
  return judged(file, by, [&](SftpConnection& connection) -> Result<Bytes> {
    auto bytes = connection.read(path, range.offset, range.length, by);
    if (!bytes) return std::move(bytes).error().with(fmt::format("read {}", relative_path(file)));
    return bytes;
  });
}

void SftpStorage::expect(const FileName& file, ByteRange /*range*/) {
  const std::string path = path_of(file);
  {
    // Once for each file: were it a FIFO, it would block all connections, and those after them.
    auto expected = expected_.lock();
    if (std::ranges::find(*expected, path) != expected->end()) return;
    expected->push_back(path);
    if (expected->size() > kMostExpected) expected->pop_front();
  }
  for (const auto& connection : pool_->all()) connection->open_ahead(path);
}

Result<Bytes> SftpStorage::read_all(const FileName& file, Deadline by) {
  return judged(file, by, [&](SftpConnection& connection) -> Result<Bytes> {
    SftpClient& client = connection.client();
    auto handle = client.open(path_of(file), sftp::kOpenRead, by);
    if (!handle) return explain_missing(client, std::move(handle).error(), by);
    auto content = client.read_to_end(*handle, most_file_bytes(file.type), by);
    client.close_later(*handle);
    if (content) return content;
    return std::move(content).error().with(fmt::format("read {}", relative_path(file)));
  });
}

void SftpStorage::forget(const std::string& path) {
  for (const auto& connection : pool_->all()) connection->forget(path);
}

Error SftpStorage::explain_missing(SftpClient& client, Error error, Deadline by) const {
  if (error.kind() != ErrorKind::kNotFound) return error;
  const auto root = client.stat(root_, by);
  if (root || root.error().kind() != ErrorKind::kNotFound) return error;
  if (root_.starts_with('/')) {
    return Error(ErrorKind::kNotFound, fmt::format("{}: no folder {} there", description_, root_))
        .hinting("some servers show a path of their own: try it without the leading /");
  }
  const auto login = client.realpath(".", by);
  return {ErrorKind::kNotFound,
          fmt::format("{}: no folder '{}' in the login folder{}{}", description_, root_,
                      login ? " " : "", login ? *login : "")};
}

Result<std::optional<std::uint64_t>> SftpStorage::free_bytes(Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  if (!client.abilities().statvfs) return std::nullopt;
  const auto room = client.free_bytes(root_, by);
  if (!room && is_unanswered(room.error(), client, by)) return room.error();
  return room && *room != UINT64_MAX ? std::optional(*room) : std::nullopt;
}

}  // namespace restree
