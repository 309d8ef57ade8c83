#include "repo/storage/sftp/sftp_joining.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "repo/storage/sftp/sftp_client.h"
#include "repo/storage/sftp/sftp_packet.h"

namespace restree {
namespace {

constexpr std::uint64_t kMostCopiedBytes = 4 << 20;
constexpr std::size_t kMostUnderWay = 256;

// The requests that are under way, the oldest in front.
class Copies {
 public:
  Copies(SftpClient& client, std::string_view into, Deadline by)
      : client_(client), into_(into), by_(by) {}

  // Goes on where the copies before it end.
  Status add(const std::string& from, ByteRange range) {
    while (range.length > 0) {
      const std::uint64_t length = std::min(range.length, kMostCopiedBytes);
      sftp::Request request(sftp::Type::kExtended, 64 + from.size() + into_.size());
      request.string("copy-data").string(from).u64(range.offset).u64(length);
      request.string(into_).u64(end_);
      pending_.push_back(client_.send(std::move(request), /*slow=*/true));
      end_ += length;
      range = {range.offset + length, range.length - length};
      if (pending_.size() < kMostUnderWay) continue;
      Status copied = client_.wait_for_ok(pending_.front(), kDoing, by_);
      pending_.pop_front();
      RETURN_IF_ERROR(std::move(copied));
    }
    return {};
  }
  std::uint64_t end() const { return end_; }
  Status wait() { return client_.wait_for_all(pending_, kDoing, by_); }

 private:
  static constexpr std::string_view kDoing = "copy on the server";

  SftpClient& client_;
  const std::string_view into_;
  const Deadline by_;
  std::deque<SftpClient::Pending> pending_;
  std::uint64_t end_ = 0;
};

}  // namespace

Status copy_on_server(SftpConnection& connection, std::span<const SftpSource> sources,
                      std::string_view into, ByteView end, Deadline by) {
  SftpClient& client = connection.client();
  Copies copies(client, into, by);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t ahead = std::min(sources.size(), i + 1 + SftpConnection::kMaxOpening);
    for (std::size_t next = i + 1; next < ahead; ++next) connection.open_ahead(sources[next].path);
    // It may be closed as soon as the requests are sent: those for one file take effect in order.
    ASSIGN_OR_RETURN(const auto from, connection.open(sources[i].path, by));
    for (const ByteRange& range : sources[i].ranges) {
      RETURN_IF_ERROR(copies.add(from->handle(), range));
    }
  }
  Status written = client.write_at(into, copies.end(), end, by);
  RETURN_IF_ERROR(copies.wait());
  return written;
}

}  // namespace restree
