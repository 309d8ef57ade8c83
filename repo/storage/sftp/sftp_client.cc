#include "repo/storage/sftp/sftp_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/waiting.h"
#include "repo/storage/sftp/sftp_greeting.h"

namespace restree {

using sftp::Answer;
using sftp::Request;
using sftp::Type;

namespace {

// The most that is asked for or sent at once, even of a server that grants more (OpenSSH grants 255
// KiB for both): larger pieces would not be faster.
constexpr std::uint32_t kMaxReadPiece = 255 * 1024;
constexpr std::uint32_t kMaxWritePiece = 128 * 1024;
constexpr std::uint32_t kPermissionBits = 07777;
// How often a file is opened that the server refuses to open without a reason.
constexpr int kOpenAttempts = 6;

Request open_request(std::string_view path, std::uint32_t flags) {
  Request request(Type::kOpen, path.size() + 16);
  request.string(path).u32(flags).no_attributes();
  return request;
}

}  // namespace

SftpClient::SftpClient(std::unique_ptr<SftpEngine> engine, Abilities abilities, std::string host)
    : engine_(std::move(engine)), abilities_(abilities), host_(std::move(host)) {}

SftpClient::~SftpClient() = default;

Result<std::unique_ptr<SftpClient>> SftpClient::start(std::unique_ptr<ByteChannel> channel,
                                                      std::string host,
                                                      std::chrono::milliseconds silence,
                                                      const Patience& patience) {
  ASSIGN_OR_RETURN(const Abilities abilities, greet_sftp_server(*channel, host, patience));
  auto engine = std::make_unique<SftpEngine>(std::move(channel), host,
                                             SftpEngine::Limits{kFirstBytesInFlight, silence});
  std::unique_ptr<SftpClient> client(new SftpClient(std::move(engine), abilities, std::move(host)));
  if (abilities.limits) {
    client->limits_.lock()->answer =
        client->send(std::move(Request(Type::kExtended).string("limits@openssh.com")));
  }
  return client;
}

SftpClient::Limits SftpClient::limits() {
  std::optional<Pending> answer;
  {
    auto asked = limits_.lock();
    const bool is_there = asked->answer && wait_until(*asked->answer, Deadline::at({}));
    if (!is_there) return asked->limits;
    answer = std::exchange(asked->answer, std::nullopt);
  }
  note_limits(answer->get());
  return limits_.lock()->limits;
}

// For a server that offers the extension and then refuses it, the defaults stand.
void SftpClient::note_limits(const Result<Answer>& answer) {
  if (!answer || answer->type != Type::kExtendedReply) return;
  PacketReader reader(answer->body);
  reader.u64();  // the longest packet
  const std::uint64_t read = reader.u64();
  const std::uint64_t write = reader.u64();
  const auto handles = static_cast<std::size_t>(std::min<std::uint64_t>(reader.u64(), SIZE_MAX));
  if (!reader.ok()) return;
  const auto granted = [](std::uint64_t limit, std::uint32_t most) {
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(limit, 4096, most));
  };
  {
    auto asked = limits_.lock();
    // 0: no limit that the server knows of.
    if (read != 0) asked->limits.read_bytes = granted(read, kMaxReadPiece);
    if (write != 0) asked->limits.write_bytes = granted(write, kMaxWritePiece);
    asked->limits.open_handles = handles;
  }
  if (handles != 0) handles_.set_most(handles);
}

SftpClient::Pending SftpClient::send(Request request, bool slow) {
  return engine_->send(std::move(request), slow);
}

Result<Answer> SftpClient::wait(Pending& pending, std::string_view doing, Deadline by) const {
  if (!wait_until(pending, by)) {
    return Error(ErrorKind::kUnavailable, fmt::format("{}: {}: no answer in time", host_, doing));
  }
  return pending.get();
}

Status SftpClient::wait_for_ok(Pending& pending, std::string_view doing, Deadline by) const {
  ASSIGN_OR_RETURN(const Answer answer, wait(pending, doing, by));
  const auto status = sftp::parse_status(answer);
  if (!status) return unexpected(answer, doing);
  if (status->code == sftp::StatusCode::kOk) return {};
  return sftp::status_error(*status, fmt::format("{}: {}", host_, doing));
}

Error SftpClient::unexpected(const Answer& answer, std::string_view doing) const {
  const auto status = sftp::parse_status(answer);
  if (status && status->code != sftp::StatusCode::kOk) {
    return sftp::status_error(*status, fmt::format("{}: {}", host_, doing));
  }
  return {ErrorKind::kUnavailable,
          fmt::format("{}: {}: an answer of the wrong kind", host_, doing)};
}

Result<Answer> SftpClient::call(Request request, std::string_view doing, Deadline by) {
  auto pending = send(std::move(request));
  return wait(pending, doing, by);
}

Status SftpClient::call_for_ok(Request request, std::string_view doing, Deadline by) {
  auto pending = send(std::move(request));
  return wait_for_ok(pending, doing, by);
}

Result<std::string> SftpClient::call_for_handle(const std::function<Request()>& make,
                                                std::string_view doing, Deadline by) {
  for (int attempt = 1;; ++attempt) {
    auto turn = handles_.begin(by);
    if (!turn) {
      return Error(ErrorKind::kUnavailable,
                   fmt::format("{}: {}: the server holds no more files open", host_, doing));
    }
    turn->repeated = attempt > 1;
    Result<Answer> answer = call(make(), doing, by);
    if (answer) {
      if (auto handle = sftp::parse_handle(*answer)) {
        handles_.opened(*turn);
        return std::move(*handle);
      }
    }
    Error error = answer ? unexpected(*answer, doing) : std::move(answer).error();
    const bool is_refused = answer && sftp::is_plain_failure(*answer) && attempt < kOpenAttempts;
    if (!is_refused) handles_.failed();
    if (!is_refused || !handles_.refused(*turn, by)) return error;
  }
}

Result<sftp::Attributes> SftpClient::call_for_attributes(Request request, std::string_view doing,
                                                         Deadline by) {
  ASSIGN_OR_RETURN(const Answer answer, call(std::move(request), doing, by));
  const auto attributes = sftp::parse_attributes(answer);
  if (!attributes) return unexpected(answer, doing);
  return *attributes;
}

Result<std::string> SftpClient::open(std::string_view path, std::uint32_t flags, Deadline by) {
  return call_for_handle([&] { return open_request(path, flags); }, fmt::format("open {}", path),
                         by);
}

std::optional<SftpClient::Opening> SftpClient::begin_open(std::string_view path) {
  const auto turn = handles_.begin_ahead();
  if (!turn) return std::nullopt;
  return Opening{*turn, send(open_request(path, sftp::kOpenRead)).share()};
}

std::optional<std::string> SftpClient::end_open(const Opening& opening) {
  const Result<Answer>& answer = opening.answer.get();
  std::optional<std::string> handle = answer ? sftp::parse_handle(*answer) : std::nullopt;
  if (handle) {
    handles_.opened(opening.turn);
  } else {
    handles_.failed();
  }
  return handle;
}

Result<std::string> SftpClient::create(std::string_view path, std::uint32_t mode, Deadline by,
                                       std::uint32_t flags) {
  const auto make = [&] {
    Request request(Type::kOpen, path.size() + 16);
    request.string(path).u32(flags | sftp::kOpenCreate | sftp::kOpenExclusive).permissions(mode);
    return request;
  };
  return call_for_handle(make, fmt::format("create {}", path), by);
}

Status SftpClient::close(std::string_view handle, Deadline by) {
  auto closed = send(std::move(Request(Type::kClose).string(handle)));
  handles_.closed();
  return wait_for_ok(closed, "close", by);
}

void SftpClient::close_later(std::string_view handle) {
  send(std::move(Request(Type::kClose).string(handle)));
  handles_.closed();
}

Result<Bytes> SftpClient::read(std::string_view handle, std::uint64_t offset, std::uint64_t length,
                               Deadline by) {
  return engine_->read(handle, offset, length, limits().read_bytes, by);
}

Result<Bytes> SftpClient::read_to_end(std::string_view handle, std::uint64_t max_bytes,
                                      Deadline by) {
  // The size and the first piece in one round trip: for most files that is all there is.
  auto measured = send(std::move(Request(Type::kFstat).string(handle)));
  Request first(Type::kRead);
  first.string(handle).u64(0).u32(limits().read_bytes);
  auto begun = send(std::move(first));

  ASSIGN_OR_RETURN(const Answer measure, wait(measured, "stat", by));
  const auto attributes = sftp::parse_attributes(measure);
  if (!attributes) return unexpected(measure, "stat");
  if (!attributes->size) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{}: the server does not report the size of files", host_));
  }
  if (attributes->permissions && !attributes->may_be_file()) {
    return Error(ErrorKind::kCorrupt, fmt::format("{}: it is not a regular file", host_));
  }
  const std::uint64_t size = *attributes->size;
  if (size > max_bytes) {
    return Error(ErrorKind::kCorrupt,
                 fmt::format("{}: the file has {} bytes, too many for its kind", host_, size));
  }
  ASSIGN_OR_RETURN(const Answer answer, wait(begun, "read", by));
  const auto status = sftp::parse_status(answer);
  if (status && status->code == sftp::StatusCode::kEof && size == 0) return Bytes();
  PacketReader reader(answer.body);
  const std::string_view beginning = reader.string();
  if (answer.type != Type::kData || !reader.ok()) return unexpected(answer, "read");
  if (beginning.size() > size) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("{}: the file grows while it is read", host_));
  }
  Bytes content(size);
  std::copy_n(as_bytes(beginning).begin(), beginning.size(), content.data());
  if (beginning.size() < size) {
    ASSIGN_OR_RETURN(const Bytes rest, read(handle, beginning.size(), size - beginning.size(), by));
    std::copy_n(rest.data(), rest.size(), content.data() + beginning.size());
  }
  return content;
}

Result<sftp::Attributes> SftpClient::stat(std::string_view path, Deadline by) {
  return call_for_attributes(std::move(Request(Type::kStat).string(path)),
                             fmt::format("stat {}", path), by);
}

Result<sftp::Attributes> SftpClient::lstat(std::string_view path, Deadline by) {
  return call_for_attributes(std::move(Request(Type::kLstat).string(path)),
                             fmt::format("stat {}", path), by);
}

Result<sftp::Attributes> SftpClient::fstat(std::string_view handle, Deadline by) {
  return call_for_attributes(std::move(Request(Type::kFstat).string(handle)), "stat", by);
}

Status SftpClient::chmod(std::string_view path, std::uint32_t mode, Deadline by) {
  return call_for_ok(
      std::move(Request(Type::kSetstat).string(path).permissions(mode & kPermissionBits)),
      fmt::format("chmod {}", path), by);
}

Status SftpClient::mkdir(std::string_view path, std::uint32_t mode, Deadline by) {
  return call_for_ok(
      std::move(Request(Type::kMkdir).string(path).permissions(mode & kPermissionBits)),
      fmt::format("make folder {}", path), by);
}

Status SftpClient::remove(std::string_view path, Deadline by) {
  return call_for_ok(std::move(Request(Type::kRemove).string(path)), fmt::format("remove {}", path),
                     by);
}

Status SftpClient::rmdir(std::string_view path, Deadline by) {
  return call_for_ok(std::move(Request(Type::kRmdir).string(path)),
                     fmt::format("remove folder {}", path), by);
}

Status SftpClient::rename(std::string_view from, std::string_view to, Deadline by) {
  Request request(abilities_.posix_rename ? Type::kExtended : Type::kRename);
  if (abilities_.posix_rename) request.string("posix-rename@openssh.com");
  request.string(from).string(to);
  return call_for_ok(std::move(request), fmt::format("rename {}", from), by);
}

Result<std::uint64_t> SftpClient::free_bytes(std::string_view path, Deadline by) {
  Request request(Type::kExtended);
  request.string(std::string_view("statvfs@openssh.com")).string(path);
  ASSIGN_OR_RETURN(const Answer answer, call(std::move(request), "free space", by));
  PacketReader reader(answer.body);
  reader.u64();  // block size
  const std::uint64_t unit = reader.u64();
  const std::uint64_t all = reader.u64();
  reader.u64();  // free blocks
  const std::uint64_t available = reader.u64();
  if (answer.type != Type::kExtendedReply || !reader.ok()) return unexpected(answer, "free space");
  if (all == 0) return UINT64_MAX;
  std::uint64_t bytes = 0;
  return __builtin_mul_overflow(unit, available, &bytes) ? UINT64_MAX : bytes;
}

Result<std::string> SftpClient::realpath(std::string_view path, Deadline by) {
  const std::string doing = fmt::format("resolve {}", path);
  ASSIGN_OR_RETURN(const Answer answer,
                   call(std::move(Request(Type::kRealpath).string(path)), doing, by));
  auto names = sftp::parse_names(answer);
  if (!names || names->empty()) return unexpected(answer, doing);
  return std::move(names->front().name);
}

}  // namespace restree
