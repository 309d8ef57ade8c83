// SftpClient against servers that answer late, in any order, with less than asked, or with garbage.
#include "repo/storage/sftp/sftp_client.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "tests/storage/sftp/socket_channel.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using namespace std::chrono_literals;
using sftp::Type;

Deadline soon() { return Deadline::after(20s); }

struct Received {
  Type type;
  std::uint32_t id;
  std::vector<std::byte> body;
};

// The server's end: parses requests and composes answers.
class FakeServer {
 public:
  explicit FakeServer(UniqueFd fd) : fd_(std::move(fd)) {}

  void greet(const std::vector<std::string>& extensions = {}) {
    receive_raw();  // INIT
    sftp::Request version(Type::kVersion);
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
    if (packet.size() < 5) return {Type::kInit, 0, {}};
    return {static_cast<Type>(packet[0]),
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
    send(std::move(sftp::Request(Type::kData).string(data)).finish(id));
  }
  void answer_status(std::uint32_t id, sftp::StatusCode code) {
    send(std::move(sftp::Request(Type::kStatus)
                       .u32(static_cast<std::uint32_t>(code))
                       .string(std::string_view("why"))
                       .string(std::string_view("en")))
             .finish(id));
  }
  void answer_handle(std::uint32_t id, std::string_view handle) {
    send(std::move(sftp::Request(Type::kHandle).string(handle)).finish(id));
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

ReadRequest as_read(const Received& request) {
  EXPECT_EQ(request.type, Type::kRead);
  PacketReader reader(request.body);
  reader.string();
  const std::uint64_t offset = reader.u64();
  return {request.id, offset, reader.u32()};
}

// Runs a client, and a thread that plays its server.
class SftpClientTest : public ::testing::Test {
 protected:
  using Play = std::function<void(FakeServer&)>;

  std::unique_ptr<SftpClient> client_of(Play play, std::chrono::milliseconds silence = 20s) {
    auto client = try_client_of(std::move(play), silence);
    return value_of(std::move(client));
  }
  Result<std::unique_ptr<SftpClient>> try_client_of(Play play,
                                                    std::chrono::milliseconds silence = 20s) {
    auto [channel, fd] = SocketChannel::make();
    server_ = std::jthread(
        [play = std::move(play), server = FakeServer(std::move(fd))]() mutable { play(server); });
    return SftpClient::start(std::move(channel), "fake", silence, {soon(), nullptr});
  }

  std::jthread server_;
};

std::string pattern(std::uint64_t offset, std::uint64_t length) {
  std::string text(length, '\0');
  for (std::uint64_t i = 0; i < length; ++i) text[i] = static_cast<char>((offset + i) * 7 / 3);
  return text;
}

TEST_F(SftpClientTest, AsksForExactlyTheRangeAndManyPiecesAtOnce) {
  std::vector<ReadRequest> asked;
  const auto client = client_of([&](FakeServer& server) {
    server.greet();
    // Nothing is answered before all of it was asked for.
    while (asked.size() < 4) asked.push_back(as_read(server.receive()));
    for (const auto& read : asked) server.answer_data(read.id, pattern(read.offset, read.length));
  });
  EXPECT_THAT(client->read("h", 1000, 100'000, soon()), Holds(pattern(1000, 100'000)));
  server_.join();
  std::uint64_t at = 1000;
  for (const auto& read : asked) {
    EXPECT_EQ(read.offset, at);
    EXPECT_LE(read.length, 32U * 1024);
    at += read.length;
  }
  EXPECT_EQ(at, 101'000U);
}

// If it were asked for much more than the line takes, the server would fill its buffers.
TEST_F(SftpClientTest, AsksForLaterBytesOnlyAsEarlierOnesCome) {
  constexpr std::uint64_t kPiece = 32 << 10;
  constexpr std::uint64_t kFirst = SftpClient::kFirstBytesInFlight / kPiece;
  constexpr std::uint64_t kAll = 2 * kFirst;
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    std::deque<ReadRequest> asked;
    const auto answer_one = [&] {
      server.answer_data(asked.front().id, pattern(asked.front().offset, asked.front().length));
      asked.pop_front();
    };
    while (asked.size() < kFirst) asked.push_back(as_read(server.receive()));
    EXPECT_FALSE(server.has_more_within(100ms));
    answer_one();
    asked.push_back(as_read(server.receive()));
    EXPECT_FALSE(server.has_more_within(100ms));
    for (std::uint64_t got = kFirst + 1; got < kAll; ++got) {
      answer_one();
      asked.push_back(as_read(server.receive()));
    }
    while (!asked.empty()) answer_one();
  });
  EXPECT_THAT(client->read("h", 0, kAll * kPiece, soon()), Holds(pattern(0, kAll * kPiece)));
}

TEST_F(SftpClientTest, AnswersInAnyOrderLandWhereTheyBelong) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    std::vector<ReadRequest> asked;
    while (asked.size() < 16) asked.push_back(as_read(server.receive()));
    std::shuffle(asked.begin(), asked.end(), std::minstd_rand(3));
    for (const auto& read : asked) server.answer_data(read.id, pattern(read.offset, read.length));
  });
  EXPECT_THAT(client->read("h", 0, 16 * 32 * 1024, soon()), Holds(pattern(0, 16 * 32 * 1024)));
}

TEST_F(SftpClientTest, ShortAnswersAreContinued) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    while (true) {
      const Received request = server.receive();
      if (request.type != Type::kRead) return;
      const ReadRequest read = as_read(request);
      const std::uint32_t given = read.length > 3 ? read.length / 3 : read.length;
      server.answer_data(read.id, pattern(read.offset, given));
    }
  });
  EXPECT_THAT(client->read("h", 5, 200'000, soon()), Holds(pattern(5, 200'000)));
}

TEST_F(SftpClientTest, CallersShareTheConnectionAndOneMayOvertakeAnother) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    const ReadRequest first = as_read(server.receive());
    const ReadRequest second = as_read(server.receive());
    server.answer_data(second.id, pattern(second.offset, second.length));
    server.answer_data(first.id, pattern(first.offset, first.length));
    server.receive();
  });
  std::jthread one([&] { EXPECT_THAT(client->read("a", 0, 10, soon()), Holds(pattern(0, 10))); });
  EXPECT_THAT(client->read("b", 70, 20, soon()), Holds(pattern(70, 20)));
}

TEST_F(SftpClientTest, AFileThatEndsWithinTheRangeIsCorrupt) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    for (int i = 0; i < 4; ++i) {
      server.answer_status(server.receive().id, sftp::StatusCode::kEof);
    }
    server.receive();
  });
  EXPECT_THAT(client->read("h", 0, 4 * 32 * 1024, soon()), FailsWith(ErrorKind::kCorrupt));
  EXPECT_TRUE(client->alive());
}

TEST_F(SftpClientTest, StatusesBecomeErrorsOfTheirKind) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    using Code = sftp::StatusCode;
    for (const auto code :
         {Code::kNoSuchFile, Code::kPermissionDenied, Code::kUnsupported, Code::kFailure}) {
      server.answer_status(server.receive().id, code);
    }
    server.answer_handle(server.receive().id, "h1");
    server.receive();
  });
  EXPECT_THAT(client->open("a", sftp::kOpenRead, soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(client->open("a", sftp::kOpenRead, soon()), FailsWith(ErrorKind::kDenied));
  EXPECT_THAT(client->open("a", sftp::kOpenRead, soon()), FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(client->open("a", sftp::kOpenRead, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(value_of(client->open("a", sftp::kOpenRead, soon())), "h1");
}

TEST_F(SftpClientTest, AClosedConnectionFailsEveryCallerAtOnce) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    server.receive();
    server.hang_up();
  });
  EXPECT_THAT(client->read("h", 0, 1'000'000, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_FALSE(client->alive());
  EXPECT_THAT(client->open("a", sftp::kOpenRead, soon()), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(SftpClientTest, SilenceWhileAnAnswerIsDueEndsTheConnection) {
  const auto client = client_of(
      [](FakeServer& server) {
        server.greet();
        server.receive();
        server.receive();  // until the client hangs up
      },
      100ms);
  EXPECT_THAT(client->read("h", 0, 10, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_FALSE(client->alive());
}

TEST_F(SftpClientTest, ADeadlineLeavesTheConnectionInUse) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    const ReadRequest late = as_read(server.receive());
    const ReadRequest next = as_read(server.receive());
    server.answer_data(late.id, pattern(late.offset, late.length));
    server.answer_data(next.id, pattern(next.offset, next.length));
    server.receive();
  });
  EXPECT_THAT(client->read("h", 0, 10, Deadline::after(20ms)), FailsWith(ErrorKind::kUnavailable));
  EXPECT_TRUE(client->alive());
  EXPECT_THAT(client->read("h", 20, 10, soon()), Holds(pattern(20, 10)));
  EXPECT_EQ(client->load(), 0U);
}

TEST_F(SftpClientTest, AServerThatGrantsMoreIsAskedForMore) {
  const auto client = client_of([](FakeServer& server) {
    server.greet({"limits@openssh.com", "posix-rename@openssh.com"});
    const Received limits = server.receive();
    server.send(
        std::move(sftp::Request(Type::kExtendedReply).u64(262144).u64(261120).u64(261120).u64(1000))
            .finish(limits.id));
    const ReadRequest read = as_read(server.receive());
    EXPECT_EQ(read.length, 200'000U);
    server.answer_data(read.id, pattern(read.offset, read.length));
    server.receive();
  });
  EXPECT_TRUE(client->abilities().posix_rename);
  EXPECT_FALSE(client->abilities().fsync);
  EXPECT_EQ(client->abilities().max_open_handles, 1000U);
  EXPECT_THAT(client->read("h", 0, 200'000, soon()), Holds(pattern(0, 200'000)));
}

// Each answers one READ of 10 bytes with what no server should send.
using Malformed = std::function<void(FakeServer&, std::uint32_t id)>;
struct MalformedAnswer {
  std::string name;
  Malformed send;
};
class SftpClientMalformed : public SftpClientTest,
                            public ::testing::WithParamInterface<MalformedAnswer> {};

TEST_P(SftpClientMalformed, AnswerEndsTheConnection) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    GetParam().send(server, server.receive().id);
    server.receive();
  });
  EXPECT_THAT(client->read("h", 0, 10, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_FALSE(client->alive());
}

INSTANTIATE_TEST_SUITE_P(
    Each, SftpClientMalformed,
    ::testing::Values(
        MalformedAnswer{"TooMuchData", [](auto& s, auto id) { s.answer_data(id, "12345678901"); }},
        MalformedAnswer{"NoData", [](auto& s, auto id) { s.answer_data(id, ""); }},
        MalformedAnswer{"UnknownId", [](auto& s, auto id) { s.answer_data(id + 77, "1"); }},
        MalformedAnswer{"Success",
                        [](auto& s, auto id) { s.answer_status(id, sftp::StatusCode::kOk); }},
        MalformedAnswer{"OtherType", [](auto& s, auto id) { s.answer_handle(id, "1"); }},
        MalformedAnswer{"LengthsThatDisagree",
                        [](auto& s, auto id) {
                          s.send(std::move(sftp::Request(Type::kData).u32(9).u32(0)).finish(id));
                        }},
        MalformedAnswer{"AbsurdLength",
                        [](auto& s, auto) { s.send(std::vector<std::byte>(64, std::byte{0xff})); }},
        MalformedAnswer{"ZeroLength", [](auto& s, auto) { s.send(std::vector<std::byte>(64)); }}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(SftpClientTest, OtherBytesThanAGreetingAreRefused) {
  const std::vector<std::vector<std::byte>> greetings{
      std::vector<std::byte>(200, std::byte{'W'}),  // a shell's welcome
      std::vector<std::byte>(5),                    // a length of 0
      std::move(sftp::Request(Type::kVersion)).finish(2),
      std::move(sftp::Request(Type::kHandle)).finish(3),
  };
  for (const auto& greeting : greetings) {
    const auto client = try_client_of([greeting](FakeServer& server) {
      server.receive_raw();
      server.send(greeting);
      server.hang_up();
    });
    ASSERT_FALSE(client.has_value());
    EXPECT_NE(client.error().kind(), ErrorKind::kNotFound);
  }
}

TEST_F(SftpClientTest, GarbageNeverDoesMoreThanEndTheConnection) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> garbage(random() % 400);
    for (auto& byte : garbage) byte = static_cast<std::byte>(random());
    const auto client = client_of([=](FakeServer& server) mutable {
      server.greet();
      const Received request = server.receive();
      // Half of the rounds begin plausibly: a short packet that answers what was asked.
      if (garbage.size() > 13 && round % 2 == 0) {
        const auto start = sftp::Request(static_cast<Type>(101 + round % 5)).finish(request.id);
        std::copy(start.begin(), start.end(), garbage.begin());
        garbage[3] = static_cast<std::byte>(9 + round % 100);
      }
      server.send(garbage);
      server.hang_up();
    });
    // The result does not matter: the call ends, and sanitizers watch it.
    static_cast<void>(client->read("h", 0, 100, soon()));
    static_cast<void>(client->open("x", sftp::kOpenRead, soon()));
  }
}

TEST_F(SftpClientTest, AWriteThatTheServerCutsShortIsNoticed) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    while (true) {
      const Received request = server.receive();
      if (request.type == Type::kInit) return;
      if (request.type == Type::kFstat) {
        server.send(std::move(sftp::Request(Type::kAttributes).u32(1).u64(99)).finish(request.id));
      } else {
        server.answer_status(request.id, sftp::StatusCode::kOk);
      }
    }
  });
  const std::string content(100, 'x');
  EXPECT_THAT(client->write_and_close("h", as_bytes(content), soon()),
              FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree::testing
