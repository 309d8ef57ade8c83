// What SftpStorage changes on the server.
#include <fmt/core.h>

#include <algorithm>
#include <random>
#include <utility>

#include "repo/base/log.h"
#include "repo/storage/sftp/sftp_joining.h"
#include "repo/storage/sftp/sftp_listing.h"
#include "repo/storage/sftp/sftp_storage.h"

namespace restree {
namespace {

constexpr std::size_t kMostAbandonedPaths = 1000;
constexpr std::chrono::seconds kCleaningTime{5};

std::string random_digits(std::size_t count) {
  std::random_device random;
  std::string digits;
  while (digits.size() < count) digits += fmt::format("{:08x}", random());
  return digits;
}

// In the same folder, and of a form that listings do not take for a file of the repository.
std::string temporary_name(const std::string& path) {
  return fmt::format("{}{}{}", path, kTemporaryMark, random_digits(32));
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

Result<SftpStorage::NewFile> SftpStorage::create(SftpClient& client, const FileName& file,
                                                 const Modes& modes, std::uint32_t flags,
                                                 Deadline by) {
  const std::string path = path_of(file);
  const std::string temporary = temporary_name(path);
  auto handle = client.create(temporary, modes.writing, by, flags);
  if (!handle && handle.error().kind() == ErrorKind::kNotFound) {
    const auto config = client.stat(path_of({FileType::kConfig, ""}), by);
    if (!config) {
      return explain_missing(client, config.error(), by)
          .with(
              fmt::format("make no folder for {}, as there is no repository", relative_path(file)));
    }
    RETURN_IF_ERROR(make_path(client, folder_of(path), modes.folder, by));
    handle = client.create(temporary, modes.writing, by, flags);
  }
  if (!handle) {
    // It may be there all the same, if the answer was lost.
    if (is_unanswered(handle.error(), client, by)) abandoned_.lock()->push_back(temporary);
    return std::move(handle).error();
  }
  // The server's umask may have taken bits away. Sent with the writes, so it costs no round trip.
  auto chmodded = client.send(
      std::move(sftp::Request(sftp::Type::kFsetstat).string(*handle).permissions(modes.writing)));
  return NewFile{temporary, std::move(*handle), std::move(chmodded)};
}

Status SftpStorage::end_write(SftpClient& client, NewFile& made, Status written,
                              const FileName& file, const Modes& modes, Deadline by) {
  const std::string path = path_of(file);
  if (auto status = client.wait_for_ok(made.chmodded, "chmod", by); !status) {
    log::debug("{}", status.error().message());
  }
  if (written) written = publish(client, made.temporary, path, by);
  if (!written) {
    // The write may have failed at its deadline, so the removal has a time of its own.
    abandoned_.lock()->push_back(made.temporary);
    if (client.alive()) remove_abandoned(client);
    return written;
  }
  remove_abandoned(client);
  forget(path);
  // Read-only, as protection against accidents; some servers do not support it.
  if (auto status = client.chmod(path, modes.finished, by); !status) {
    log::debug("{}", status.error().message());
  }
  return {};
}

Status SftpStorage::write(const FileName& file, ByteView content, Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  ASSIGN_OR_RETURN(const Modes modes, this->modes(client, by));
  ASSIGN_OR_RETURN(NewFile made, create(client, file, modes, sftp::kOpenWrite, by));
  Status written = client.write_and_close(made.handle, content, by);
  written = end_write(client, made, std::move(written), file, modes, by);
  if (written) return {};
  return explain_failed_write(client, std::move(written).error(), content.size())
      .with(fmt::format("write {}", relative_path(file)));
}

Status SftpStorage::join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
                         Deadline by) {
  ASSIGN_OR_RETURN(const auto connection, pool_->acquire(by));
  SftpClient& client = connection->client();
  if (!client.abilities().copy_data) return cannot_join(description_);
  std::vector<SftpSource> sources;
  std::uint64_t size = end.size();
  for (const FileRange& each : ranges) {
    std::string path = path_of(each.file);
    if (sources.empty() || sources.back().path != path) sources.push_back({std::move(path), {}});
    sources.back().ranges.push_back(each.range);
    size += each.range.length;
  }
  // Until it has a name, any folder will do.
  FileName file{FileType::kPack, random_digits(64)};
  ASSIGN_OR_RETURN(const Modes modes, this->modes(client, by));
  ASSIGN_OR_RETURN(NewFile made,
                   create(client, file, modes, sftp::kOpenRead | sftp::kOpenWrite, by));
  Status joined = copy_on_server(*connection, sources, made.handle, end, by);
  if (joined) {
    auto named = name([&](Bytes& buffer, ByteRange range) -> Result<MutableByteView> {
      ASSIGN_OR_RETURN(buffer, client.read(made.handle, range.offset, range.length, by));
      return buffer.view();
    });
    if (named) file = std::move(*named);
    if (!named) joined = std::move(named).error();
  }
  if (joined) {
    joined = client.close_written(made.handle, size, by);
  } else {
    client.close_later(made.handle);
  }
  joined = end_write(client, made, std::move(joined), file, modes, by);
  if (joined) return {};
  return std::move(joined).error().with("put a pack together on the server");
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
  if (abandoned->size() > kMostAbandonedPaths) abandoned->resize(kMostAbandonedPaths);
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
  if (removed || !client.alive()) return removed;
  // Servers have no word of their own for a folder.
  const auto attributes = client.lstat(path, by);
  if (!attributes || !attributes->is_directory()) return removed;
  Status emptied = client.rmdir(path, by);
  const bool is_refused =
      !emptied && client.alive() && emptied.error().kind() == ErrorKind::kUnavailable;
  return is_refused ? filled_folder(path) : emptied;
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

}  // namespace restree
