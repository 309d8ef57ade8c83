#include "repo/storage/sftp/sftp_storage.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <random>
#include <unordered_set>
#include <utility>

#include "repo/base/log.h"
#include "repo/storage/sftp/sftp_listing.h"

namespace restree {
namespace {

// Of both kinds that a storage remembers.
constexpr std::size_t kMostRememberedPaths = 1000;
constexpr std::size_t kMostExpected = 64;
constexpr std::chrono::seconds kCleaningTime{5};

// In the same folder, and of a form that listings do not take for a file of the repository.
std::string temporary_name(const std::string& path) {
  std::random_device random;
  return fmt::format("{}{}{:08x}{:08x}{:08x}{:08x}", path, kTemporaryMark, random(), random(),
                     random(), random());
}

// True if the connection is gone, or was given no time to answer.
bool is_unanswered(const Error& error, const SftpClient& client, Deadline by) {
  return error.kind() == ErrorKind::kUnavailable && (!client.alive() || by.expired());
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

SftpStorage::SftpStorage(std::unique_ptr<SftpPool> pool, std::string root, std::string description)
    : pool_(std::move(pool)), root_(std::move(root)), description_(std::move(description)) {}

Result<std::vector<ListedFile>> SftpStorage::list(FileType type, Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  std::vector<ListedFile> files;
  std::unordered_set<std::string> seen;
  std::vector<std::string> links;
  const auto take = [&](const std::string& folder, sftp::Entry&& entry) {
    if (!is_repository_name(entry.name) || !seen.insert(entry.name).second) return;
    const std::string path = folder + "/" + entry.name;
    if (entry.attributes.is_link()) {
      links.push_back(path);
    } else if (entry.attributes.may_be_file()) {
      files.push_back(
          {std::move(entry.name), entry.attributes.size.value_or(0), entry.attributes.modified});
    } else {
      odd_files_.warn_once(path, expect_regular(path, *entry.attributes.permissions).error());
    }
  };
  const std::string top = root_ + "/" + std::string(directory_of(type));
  if (type != FileType::kPack) {
    RETURN_IF_ERROR(list_folders(client, {top}, take, by));
    RETURN_IF_ERROR(follow_links(client, links, files, by));
    return files;
  }
  std::vector<std::string> folders;
  const auto take_folder = [&](const std::string& parent, sftp::Entry&& entry) {
    if (entry.name == "." || entry.name == ".." || !entry.attributes.may_be_directory()) return;
    folders.push_back(parent + "/" + entry.name);
  };
  RETURN_IF_ERROR(list_folders(client, {top}, take_folder, by));
  RETURN_IF_ERROR(list_folders(client, folders, take, by));
  RETURN_IF_ERROR(follow_links(client, links, files, by));
  return files;
}

Status SftpStorage::follow_links(SftpClient& client, const std::vector<std::string>& links,
                                 std::vector<ListedFile>& into, Deadline by) {
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
    odd_files_.warn_once(link, odd.error());
  }
  return {};
}

Status SftpStorage::expect_file(SftpClient& client, const std::string& path, Deadline by) const {
  const auto attributes = client.stat(path, by);
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
  if (unanswered_.lock()->contains(path)) {
    RETURN_IF_ERROR(expect_file(client, path, by));
    unanswered_.lock()->erase(path);
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

Status SftpStorage::write(const FileName& file, ByteView content, Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  const std::string path = path_of(file);
  const std::string temporary = temporary_name(path);
  ASSIGN_OR_RETURN(const Modes modes, this->modes(client, by));
  auto handle = client.create(temporary, modes.writing, by);
  if (!handle && handle.error().kind() == ErrorKind::kNotFound) {
    const auto config = client.stat(path_of({FileType::kConfig, ""}), by);
    if (!config) {
      return explain_missing(client, config.error(), by)
          .with(
              fmt::format("make no folder for {}, as there is no repository", relative_path(file)));
    }
    RETURN_IF_ERROR(make_path(client, folder_of(path), modes.folder, by));
    handle = client.create(temporary, modes.writing, by);
  }
  if (!handle) {
    // It may be there all the same, if the answer was lost.
    if (is_unanswered(handle.error(), client, by)) abandoned_.lock()->push_back(temporary);
    return std::move(handle).error();
  }
  // The server's umask may have taken bits away. Sent with the writes, so it costs no round trip.
  auto chmodded = client.send(
      std::move(sftp::Request(sftp::Type::kFsetstat).string(*handle).permissions(modes.writing)));
  Status written = client.write_and_close(*handle, content, by);
  if (auto status = client.wait_for_ok(chmodded, "chmod", by); !status) {
    log::debug("{}", status.error().message());
  }
  if (written) written = publish(client, temporary, path, by);
  if (!written) {
    // The write may have failed at its deadline, so the removal has a time of its own.
    abandoned_.lock()->push_back(temporary);
    if (client.alive()) remove_abandoned(client);
    return explain_failed_write(client, std::move(written).error(), content.size())
        .with(fmt::format("write {}", relative_path(file)));
  }
  remove_abandoned(client);
  forget(path);
  // Read-only, as protection against accidents; some servers do not support it.
  if (auto status = client.chmod(path, modes.finished, by); !status) {
    log::debug("{}", status.error().message());
  }
  return {};
}

// What cannot be removed now is tried again after the next write.
void SftpStorage::remove_abandoned(SftpClient& client) {
  std::vector<std::string> paths;
  abandoned_.lock()->swap(paths);
  std::vector<std::string> left;
  for (const std::string& path : paths) {
    const auto removed = client.remove(path, Deadline::after(kCleaningTime));
    if (removed || removed.error().kind() == ErrorKind::kNotFound) continue;
    log::debug("{}", removed.error().message());
    if (removed.error().kind() == ErrorKind::kUnavailable) left.push_back(path);
  }
  if (left.empty()) return;
  auto abandoned = abandoned_.lock();
  abandoned->insert(abandoned->end(), left.begin(), left.end());
  if (abandoned->size() > kMostRememberedPaths) abandoned->resize(kMostRememberedPaths);
}

Error SftpStorage::explain_failed_write(SftpClient& client, Error error, std::size_t size) const {
  if (!client.alive() || !client.abilities().statvfs) return error;
  const auto room = client.free_bytes(root_, Deadline::after(kCleaningTime));
  if (!room || *room >= size) return error;
  return {ErrorKind::kDenied,
          fmt::format("{}: the disk is full: {} bytes free, {} needed", description_, *room, size)};
}

Status SftpStorage::publish(SftpClient& client, const std::string& temporary,
                            const std::string& path, Deadline by) {
  Status renamed = client.rename(temporary, path, by);
  if (renamed || client.abilities().posix_rename || !client.alive()) return renamed;
  // Without posix-rename a rename does not replace, and an earlier attempt may have left a file.
  if (!client.stat(path, by)) return renamed;
  RETURN_IF_ERROR(client.remove(path, by));
  return client.rename(temporary, path, by);
}

Status SftpStorage::remove(const FileName& file, Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  const std::string path = path_of(file);
  forget(path);
  Status removed = client.remove(path, by);
  if (!removed && removed.error().kind() == ErrorKind::kDenied) {
    // Servers on Windows do not remove read-only files.
    ASSIGN_OR_RETURN(const Modes modes, this->modes(client, by));
    if (client.chmod(path, modes.writing, by)) removed = client.remove(path, by);
  }
  return removed;
}

Result<std::size_t> SftpStorage::remove_leftovers(const Leftovers& which, Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  std::vector<std::string> folders{root_};
  for (const std::string& folder : which.folders()) folders.push_back(root_ + "/" + folder);
  std::vector<std::string> old;
  const std::int64_t before = std::chrono::system_clock::to_time_t(which.before);
  const auto take = [&](const std::string& folder, sftp::Entry&& entry) {
    const sftp::Attributes& attributes = entry.attributes;
    if (!is_temporary_name(entry.name) || !attributes.may_be_file()) return;
    if (attributes.modified && *attributes.modified < before) {
      old.push_back(folder + "/" + entry.name);
    }
  };
  RETURN_IF_ERROR(list_folders(client, folders, take, by));
  for (const std::string& path : old) {
    const Status removed = client.remove(path, by);
    if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed.error();
  }
  return old.size();
}

void SftpStorage::forget(const std::string& path) {
  for (const auto& connection : pool_->all()) connection->forget(path);
}

// If the group may read the config, the repository is shared with the group.
Result<SftpStorage::Modes> SftpStorage::modes(SftpClient& client, Deadline by) {
  constexpr std::uint32_t kGroupRead = 0040;
  std::optional<bool> shared = *shared_with_group_.lock();
  if (!shared) {
    const auto config = client.stat(path_of({FileType::kConfig, ""}), by);
    if (!config && config.error().kind() != ErrorKind::kNotFound) return config.error();
    shared = config && config->permissions && (*config->permissions & kGroupRead) != 0;
    if (config) *shared_with_group_.lock() = shared;
  }
  return *shared ? Modes{0770, 0660, 0440} : Modes{0700, 0600, 0400};
}

// Takes two round trips for all 261 folders; one by one they would take a thousand.
Status SftpStorage::make_folders(Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  ASSIGN_OR_RETURN(const Modes modes, this->modes(client, by));
  RETURN_IF_ERROR(make_path(client, root_, modes.folder, by));
  const std::vector<std::string> folders = repository_folders();
  // None of the folders up to "data" lies in another one; the rest lie in "data" and come second,
  // as a server may work on requests in any order.
  const auto first_inner = std::find_if(folders.begin(), folders.end(), [](const auto& folder) {
    return folder.find('/') != std::string::npos;
  });
  RETURN_IF_ERROR(make_side_by_side(client, {folders.begin(), first_inner}, modes.folder, by));
  return make_side_by_side(client, {first_inner, folders.end()}, modes.folder, by);
}

Status SftpStorage::make_side_by_side(SftpClient& client, const std::vector<std::string>& folders,
                                      std::uint32_t mode, Deadline by) {
  std::vector<SftpClient::Pending> made;
  made.reserve(folders.size());
  for (const std::string& folder : folders) {
    made.push_back(client.send(std::move(
        sftp::Request(sftp::Type::kMkdir).string(root_ + "/" + folder).permissions(mode))));
  }
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const Status status = client.wait_for_ok(made[i], "make folder " + folders[i], by);
    if (status) continue;
    if (!client.alive()) return status;
    // It exists already, or was refused: servers often answer both with the same status.
    RETURN_IF_ERROR(make_path(client, root_ + "/" + folders[i], mode, by));
  }
  return {};
}

Status SftpStorage::make_path(SftpClient& client, const std::string& folder, std::uint32_t mode,
                              Deadline by) {
  if (folder.empty() || folder == "." || client.stat(folder, by)) return {};
  if (folder.find('/') != std::string::npos) {
    RETURN_IF_ERROR(make_path(client, folder_of(folder), mode, by));
  }
  Status made = client.mkdir(folder, mode, by);
  // Another process may have made it meanwhile.
  if (!made && !client.stat(folder, by)) return made;
  if (made) {
    if (auto status = client.chmod(folder, mode, by); !status) {
      log::debug("{}", status.error().message());
    }
  }
  return {};
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
