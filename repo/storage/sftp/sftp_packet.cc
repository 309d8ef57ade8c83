#include "repo/storage/sftp/sftp_packet.h"

#include <fmt/core.h>

#include <utility>

#include "repo/base/log.h"

namespace restree::sftp {

namespace {

constexpr std::uint32_t kHasSize = 0x1;
constexpr std::uint32_t kHasOwner = 0x2;
constexpr std::uint32_t kHasPermissions = 0x4;
constexpr std::uint32_t kHasTimes = 0x8;
constexpr std::uint32_t kHasExtended = 0x80000000;

void put_u32(std::byte* to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

std::string_view meaning(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "success";
    case StatusCode::kEof:
      return "end of file";
    case StatusCode::kNoSuchFile:
      return "no such file";
    case StatusCode::kPermissionDenied:
      return "permission denied";
    case StatusCode::kFailure:
      return "failure";
    case StatusCode::kBadMessage:
      return "bad message";
    case StatusCode::kNoConnection:
    case StatusCode::kConnectionLost:
      return "connection lost";
    case StatusCode::kUnsupported:
      return "operation not supported";
  }
  return "unknown failure";
}

ErrorKind kind_of(StatusCode code) {
  switch (code) {
    case StatusCode::kNoSuchFile:
      return ErrorKind::kNotFound;
    case StatusCode::kPermissionDenied:
      return ErrorKind::kDenied;
    case StatusCode::kUnsupported:
      return ErrorKind::kUnsupported;
    case StatusCode::kEof:
      return ErrorKind::kCorrupt;
    default:
      return ErrorKind::kUnavailable;
  }
}

}  // namespace

Request::Request(Type type, std::size_t size_hint) {
  bytes_.reserve(9 + size_hint);
  bytes_.resize(9);
  bytes_[4] = static_cast<std::byte>(type);
}

Request& Request::u32(std::uint32_t value) {
  bytes_.resize(bytes_.size() + 4);
  put_u32(bytes_.data() + bytes_.size() - 4, value);
  return *this;
}

Request& Request::u64(std::uint64_t value) {
  return u32(static_cast<std::uint32_t>(value >> 32)).u32(static_cast<std::uint32_t>(value));
}

Request& Request::string(ByteView bytes) {
  u32(static_cast<std::uint32_t>(bytes.size()));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Request& Request::string(std::string_view text) { return string(as_bytes(text)); }

Request& Request::permissions(std::uint32_t mode) { return u32(kHasPermissions).u32(mode); }

std::vector<std::byte> Request::finish(std::uint32_t id) && {
  put_u32(bytes_.data(), static_cast<std::uint32_t>(bytes_.size() - 4));
  put_u32(bytes_.data() + 5, id);
  return std::move(bytes_);
}

Attributes read_attributes(PacketReader& reader) {
  Attributes found;
  const std::uint32_t flags = reader.u32();
  if (flags & kHasSize) found.size = reader.u64();
  if (flags & kHasOwner) reader.u64();
  if (flags & kHasPermissions) found.permissions = reader.u32();
  if (flags & kHasTimes) {
    reader.u32();  // when it was read
    found.modified = reader.u32();
  }
  if (flags & kHasExtended) {
    const std::uint32_t count = reader.u32();
    for (std::uint32_t i = 0; reader.ok() && i < count; ++i) {
      reader.string();
      reader.string();
    }
  }
  return found;
}

std::optional<Status> parse_status(const Answer& answer) {
  if (answer.type != Type::kStatus) return std::nullopt;
  PacketReader reader(answer.body);
  Status status{static_cast<StatusCode>(reader.u32()), {}};
  if (!reader.ok()) return std::nullopt;
  status.message = reader.string();  // old servers leave it out
  return status;
}

std::optional<std::string> parse_handle(const Answer& answer) {
  if (answer.type != Type::kHandle) return std::nullopt;
  PacketReader reader(answer.body);
  std::string handle(reader.string());
  if (!reader.ok() || handle.empty() || handle.size() > 256) return std::nullopt;
  return handle;
}

std::optional<Attributes> parse_attributes(const Answer& answer) {
  if (answer.type != Type::kAttributes) return std::nullopt;
  PacketReader reader(answer.body);
  Attributes attributes = read_attributes(reader);
  if (!reader.ok()) return std::nullopt;
  return attributes;
}

std::optional<std::vector<Entry>> parse_names(const Answer& answer) {
  if (answer.type != Type::kName) return std::nullopt;
  PacketReader reader(answer.body);
  const std::uint32_t count = reader.u32();
  std::vector<Entry> entries;  // grows with what is there, not with what `count` claims
  for (std::uint32_t i = 0; i < count; ++i) {
    Entry entry;
    entry.name = reader.string();
    reader.string();  // the line of an `ls -l`
    entry.attributes = read_attributes(reader);
    if (!reader.ok()) return std::nullopt;
    entries.push_back(std::move(entry));
  }
  if (!reader.ok()) return std::nullopt;
  return entries;
}

bool is_plain_failure(const Answer& answer) {
  const auto status = parse_status(answer);
  return status && status->code == StatusCode::kFailure;
}

Error status_error(const Status& status, std::string_view doing) {
  std::string message = fmt::format("{}: {}", doing, meaning(status.code));
  // OpenSSH's own text repeats the code; other servers say more.
  const bool says_more =
      !status.message.empty() && status.code == StatusCode::kFailure && status.message != "Failure";
  if (says_more) message += fmt::format(" ({})", log::quoted(status.message));
  return {kind_of(status.code), std::move(message)};
}

}  // namespace restree::sftp
