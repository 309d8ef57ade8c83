// The end of a file's way to the server: its bytes, its sync, and the look at what is there.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "repo/base/log.h"
#include "repo/storage/sftp/sftp_client.h"

namespace restree {

using sftp::Answer;
using sftp::Request;
using sftp::Type;

namespace {

constexpr std::size_t kMaxWriteBytesInFlight = 4 << 20;

}  // namespace

// Some servers announce fsync@openssh.com and refuse it. Like restic, go on without: the file's size
// is compared all the same. A plain failure is a refusal as long as no file could be flushed; after
// that it is a disk that fails.
Status SftpClient::wait_for_sync(Pending& synced, Deadline by) {
  const std::string_view doing = "flush to disk";
  ASSIGN_OR_RETURN(const Answer answer, wait(synced, doing, by));
  const auto status = sftp::parse_status(answer);
  if (!status) return unexpected(answer, doing);
  if (status->code == sftp::StatusCode::kOk) {
    has_synced_ = true;
    return {};
  }
  const bool is_refusal = status->code == sftp::StatusCode::kUnsupported ||
                          status->code == sftp::StatusCode::kPermissionDenied ||
                          status->code == sftp::StatusCode::kBadMessage ||
                          (status->code == sftp::StatusCode::kFailure && !has_synced_);
  if (!is_refusal) return sftp::status_error(*status, fmt::format("{}: {}", host_, doing));
  if (!refuses_sync_.exchange(true)) {
    log::debug("{}: the server offers to flush files to its disk, and refuses it: {}", host_,
               log::quoted(status->message));
  }
  return {};
}

Status SftpClient::send_writes(std::string_view handle, std::uint64_t offset, ByteView content,
                               std::deque<Pending>& writes, Deadline by) {
  const std::size_t piece_bytes = limits().write_bytes;
  const std::size_t most = std::max<std::size_t>(2, kMaxWriteBytesInFlight / piece_bytes);
  for (std::size_t done = 0; done < content.size(); done += piece_bytes) {
    const ByteView piece = content.subspan(done, std::min(piece_bytes, content.size() - done));
    Request request(Type::kWrite, handle.size() + piece.size() + 16);
    request.string(handle).u64(offset + done).string(piece);
    writes.push_back(send(std::move(request)));
    if (writes.size() < most) continue;
    Status written = wait_for_ok(writes.front(), "write", by);
    writes.pop_front();
    RETURN_IF_ERROR(std::move(written));
  }
  return {};
}

Status SftpClient::wait_for_all(std::deque<Pending>& pending, std::string_view doing,
                                Deadline by) const {
  Status result;
  for (; !pending.empty(); pending.pop_front()) {
    Status status = wait_for_ok(pending.front(), doing, by);
    if (result && !status) result = std::move(status);
  }
  return result;
}

// Requests on one file take effect in the order sent, so these need not wait for the writes.
SftpClient::Closing SftpClient::begin_closing(std::string_view handle, bool syncs) {
  Closing closing;
  if (abilities_.fsync && !refuses_sync_ && syncs) {
    closing.synced =
        send(std::move(Request(Type::kExtended).string("fsync@openssh.com").string(handle)),
             /*slow=*/true);
  }
  closing.measured = send(std::move(Request(Type::kFstat).string(handle)), /*slow=*/true);
  closing.closed = send(std::move(Request(Type::kClose).string(handle)), /*slow=*/true);
  handles_.closed();
  return closing;
}

Status SftpClient::end_closing(Closing& closing, std::uint64_t expected_bytes, Deadline by) {
  if (closing.synced) RETURN_IF_ERROR(wait_for_sync(*closing.synced, by));
  ASSIGN_OR_RETURN(const Answer answer, wait(closing.measured, "stat", by));
  const auto attributes = sftp::parse_attributes(answer);
  if (!attributes) return unexpected(answer, "stat");
  if (attributes->size && *attributes->size != expected_bytes) {
    return Error(ErrorKind::kUnavailable, fmt::format("{}: wrote {} bytes, but the file has {}",
                                                      host_, expected_bytes, *attributes->size));
  }
  return wait_for_ok(closing.closed, "close", by);
}

Status SftpClient::write_and_close(std::string_view handle, ByteView content, Deadline by) {
  std::deque<Pending> writes;
  Status sent = send_writes(handle, 0, content, writes, by);
  Closing closing = begin_closing(handle, sent.has_value());
  Status written = wait_for_all(writes, "write", by);
  RETURN_IF_ERROR(sent ? std::move(written) : std::move(sent));
  return end_closing(closing, content.size(), by);
}

Status SftpClient::write_at(std::string_view handle, std::uint64_t offset, ByteView content,
                            Deadline by) {
  std::deque<Pending> writes;
  Status sent = send_writes(handle, offset, content, writes, by);
  Status written = wait_for_all(writes, "write", by);
  return sent ? written : sent;
}

Status SftpClient::close_written(std::string_view handle, std::uint64_t expected_bytes,
                                 Deadline by) {
  Closing closing = begin_closing(handle, true);
  return end_closing(closing, expected_bytes, by);
}

}  // namespace restree
