// SftpClient against servers that answer late, in any order, or with less than asked.
#include "repo/storage/sftp/sftp_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/storage/sftp/fake_server.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using namespace std::chrono_literals;
using sftp::Type;

constexpr std::uint64_t kPiece = 32 << 10;

TEST_F(SftpClientTest, FreeSpaceIsWhatAnOrdinaryUserMayWriteOrWithoutALimit) {
  const auto client = client_of([](FakeServer& server) {
    server.greet();
    for (const std::uint64_t blocks : {1000U, 0U}) {
      const Received asked = server.receive();
      EXPECT_EQ(asked.type, Type::kExtended);
      sftp::Request figures(Type::kExtendedReply);
      figures.u64(4096).u64(512).u64(blocks).u64(300).u64(200).u64(0).u64(0).u64(0).u64(1).u64(0);
      server.send(std::move(figures.u64(255)).finish(asked.id));
    }
  });
  EXPECT_EQ(value_of(client->free_bytes("/srv", soon())), 200U * 512U);
  EXPECT_EQ(value_of(client->free_bytes("/srv", soon())), UINT64_MAX);
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
  EXPECT_THAT(client->read("h", 0, 16 * kPiece, soon()), Holds(pattern(0, 16 * kPiece)));
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
  EXPECT_THAT(client->read("h", 0, 4 * kPiece, soon()), FailsWith(ErrorKind::kCorrupt));
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

// A channel that a limit of the client's own holds up.
class HeldChannel final : public ByteChannel {
 public:
  explicit HeldChannel(std::unique_ptr<ByteChannel> inner) : inner_(std::move(inner)) {}
  Result<std::size_t> read_some(MutableByteView into) override { return inner_->read_some(into); }
  Result<std::size_t> write_some(ByteView bytes) override { return inner_->write_some(bytes); }
  Wait wait_for() const override { return inner_->wait_for(); }
  std::uint64_t bytes_moved() const override { return inner_->bytes_moved(); }
  bool is_held() const override { return true; }

 private:
  const std::unique_ptr<ByteChannel> inner_;
};

TEST_F(SftpClientTest, TheClientsOwnPauseIsNoSilenceOfTheServer) {
  auto [channel, fd] = SocketChannel::make();
  server_ = std::jthread([server = FakeServer(std::move(fd))]() mutable {
    server.greet();
    const ReadRequest read = as_read(server.receive());
    EXPECT_FALSE(server.has_more_within(200ms));  // longer than the silence that is allowed
    server.answer_data(read.id, pattern(read.offset, read.length));
    server.receive();
  });
  const auto client = value_of(SftpClient::start(std::make_unique<HeldChannel>(std::move(channel)),
                                                 "fake", 50ms, {soon(), nullptr}));
  EXPECT_THAT(client->read("h", 0, 10, soon()), Holds(pattern(0, 10)));
}

TEST_F(SftpClientTest, ADeadlineLeavesTheConnectionInUse) {
  std::atomic<bool> was_asked = false;
  const auto client = client_of([&](FakeServer& server) {
    server.greet();
    std::vector<ReadRequest> asked;
    do {
      asked.push_back(as_read(server.receive()));
      was_asked = true;
    } while (asked.back().offset != 20);
    for (const auto& read : asked) server.answer_data(read.id, pattern(read.offset, read.length));
    server.receive();
  });
  // The time may be up before the request is sent; then it says nothing of the connection.
  for (auto time = 20ms; !was_asked; time *= 2) {
    EXPECT_THAT(client->read("h", 0, 10, Deadline::after(time)),
                FailsWith(ErrorKind::kUnavailable));
  }
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
    server.answer_handle(server.receive().id, "h");
    const ReadRequest read = as_read(server.receive());
    EXPECT_EQ(read.length, 200'000U);
    server.answer_data(read.id, pattern(read.offset, read.length));
    server.receive();
  });
  EXPECT_TRUE(client->abilities().posix_rename);
  EXPECT_FALSE(client->abilities().fsync);
  const std::string handle = value_of(client->open("file", sftp::kOpenRead, soon()));
  EXPECT_EQ(client->limits().open_handles, 1000U);
  EXPECT_THAT(client->read(handle, 0, 200'000, soon()), Holds(pattern(0, 200'000)));
}

TEST_F(SftpClientTest, NothingWaitsForTheLimits) {
  const auto client = client_of([](FakeServer& server) {
    server.greet({"limits@openssh.com"});
    const Received limits = server.receive();
    EXPECT_EQ(limits.type, Type::kExtended);
    const Received open = server.receive();
    EXPECT_EQ(open.type, Type::kOpen);
    server.answer_handle(open.id, "h");
    const ReadRequest read = as_read(server.receive());
    EXPECT_EQ(read.length, kPiece);
    server.answer_data(read.id, pattern(read.offset, read.length));
    server.answer_status(limits.id, sftp::StatusCode::kUnsupported);
    server.answer_handle(server.receive().id, "h");
    server.receive();
  });
  const std::string handle = value_of(client->open("file", sftp::kOpenRead, soon()));
  EXPECT_THAT(client->read(handle, 0, kPiece, soon()), Holds(pattern(0, kPiece)));
  EXPECT_OK(client->open("other", sftp::kOpenRead, soon()));
  EXPECT_EQ(client->limits().read_bytes, kPiece);
  EXPECT_TRUE(client->alive());
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

// Takes writes of 100 bytes, and answers each request to flush with the next of `answers`.
std::function<void(FakeServer&)> flushing_with(std::vector<sftp::StatusCode> answers,
                                               std::shared_ptr<int> asked) {
  return [answers = std::move(answers), asked = std::move(asked)](FakeServer& server) {
    server.greet({"fsync@openssh.com"});
    for (Received request = server.receive(); request.type != Type::kInit;
         request = server.receive()) {
      if (request.type == Type::kExtended) {
        server.answer_status(request.id, answers.at(static_cast<std::size_t>((*asked)++)));
      } else if (request.type == Type::kFstat) {
        server.send(std::move(sftp::Request(Type::kAttributes).u32(1).u64(100)).finish(request.id));
      } else {
        server.answer_status(request.id, sftp::StatusCode::kOk);
      }
    }
  };
}

TEST_F(SftpClientTest, AServerThatAnnouncesFlushingAndRefusesItTakesFilesAllTheSame) {
  const std::string content(100, 'x');
  for (const auto refusal : {sftp::StatusCode::kUnsupported, sftp::StatusCode::kPermissionDenied,
                             sftp::StatusCode::kFailure}) {
    const auto asked = std::make_shared<int>(0);
    auto client = client_of(flushing_with({refusal}, asked));
    EXPECT_OK(client->write_and_close("h", as_bytes(content), soon()));
    EXPECT_OK(client->write_and_close("h", as_bytes(content), soon()));
    client.reset();
    server_ = {};  // joins, so that the count is the server's last
    EXPECT_EQ(*asked, 1);
  }
}

TEST_F(SftpClientTest, AFlushThatFailsWhereOneHasSucceededIsAnError) {
  const std::string content(100, 'x');
  const auto asked = std::make_shared<int>(0);
  const auto client =
      client_of(flushing_with({sftp::StatusCode::kOk, sftp::StatusCode::kFailure}, asked));
  EXPECT_OK(client->write_and_close("h", as_bytes(content), soon()));
  EXPECT_FALSE(client->write_and_close("h", as_bytes(content), soon()).has_value());
}

}  // namespace
}  // namespace restree::testing
