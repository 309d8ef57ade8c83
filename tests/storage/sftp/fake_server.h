// An SFTP server that a test plays, request by request, and a client connected to it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "repo/storage/sftp/sftp_client.h"
#include "tests/storage/sftp/socket_channel.h"
#include "tests/support/matchers.h"

namespace restree::testing {

struct Received {
  sftp::Type type;
  std::uint32_t id;
  std::vector<std::byte> body;
};

// The server's end: parses requests and composes answers.
class FakeServer {
 public:
  explicit FakeServer(UniqueFd fd) : fd_(std::move(fd)) {}

  void greet(const std::vector<std::string>& extensions = {}) {
    receive_raw();  // INIT
    sftp::Request version(sftp::Type::kVersion);
    for (const auto& name : extensions) version.string(name).string(std::string_view("1"));
    send(std::move(version).finish(3));
  }
  std::vector<std::byte> receive_raw() {
    std::array<std::byte, 4> field{};
    if (!receive_exactly(field)) return {};
    std::vector<std::byte> packet(PacketReader(field).u32());
    if (!receive_exactly(packet)) return {};
    return packet;
  }
  // The next request; its type is kInit once the client has gone.
  Received receive() {
    auto packet = receive_raw();
    if (packet.size() < 5) return {sftp::Type::kInit, 0, {}};
    return {static_cast<sftp::Type>(packet[0]),
            PacketReader(ByteView(packet).subspan(1)).u32(),
            {packet.begin() + 5, packet.end()}};
  }
  void send(const std::vector<std::byte>& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t count =
          ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }
  void answer_data(std::uint32_t id, std::string_view data) {
    send(std::move(sftp::Request(sftp::Type::kData).string(data)).finish(id));
  }
  void answer_status(std::uint32_t id, sftp::StatusCode code) {
    send(std::move(sftp::Request(sftp::Type::kStatus)
                       .u32(static_cast<std::uint32_t>(code))
                       .string(std::string_view("why"))
                       .string(std::string_view("en")))
             .finish(id));
  }
  void answer_handle(std::uint32_t id, std::string_view handle) {
    send(std::move(sftp::Request(sftp::Type::kHandle).string(handle)).finish(id));
  }
  void hang_up() { fd_.reset(); }
  bool has_more_within(std::chrono::milliseconds time) const {
    pollfd wait{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&wait, 1, static_cast<int>(time.count())) > 0;
  }

 private:
  bool receive_exactly(MutableByteView into) {
    while (!into.empty()) {
      const ssize_t got = ::recv(fd_.get(), into.data(), into.size(), 0);
      if (got <= 0) return false;
      into = into.subspan(static_cast<std::size_t>(got));
    }
    return true;
  }
  UniqueFd fd_;
};

struct ReadRequest {
  std::uint32_t id;
  std::uint64_t offset;
  std::uint32_t length;
};

inline ReadRequest as_read(const Received& request) {
  EXPECT_EQ(request.type, sftp::Type::kRead);
  PacketReader reader(request.body);
  reader.string();
  const std::uint64_t offset = reader.u64();
  return {request.id, offset, reader.u32()};
}

// Runs a client, and a thread that plays its server.
class SftpClientTest : public ::testing::Test {
 protected:
  using Play = std::function<void(FakeServer&)>;

  static Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }

  std::unique_ptr<SftpClient> client_of(
      Play play, std::chrono::milliseconds silence = std::chrono::seconds(20)) {
    auto client = try_client_of(std::move(play), silence);
    return value_of(std::move(client));
  }
  Result<std::unique_ptr<SftpClient>> try_client_of(
      Play play, std::chrono::milliseconds silence = std::chrono::seconds(20)) {
    auto [channel, fd] = SocketChannel::make();
    server_ = std::jthread(
        [play = std::move(play), server = FakeServer(std::move(fd))]() mutable { play(server); });
    return SftpClient::start(std::move(channel), "fake", silence, {soon(), nullptr});
  }

  std::jthread server_;
};

inline std::string pattern(std::uint64_t offset, std::uint64_t length) {
  std::string text(length, '\0');
  for (std::uint64_t i = 0; i < length; ++i) text[i] = static_cast<char>((offset + i) * 7 / 3);
  return text;
}

}  // namespace restree::testing
