// SftpClient against servers that send malformed answers or garbage.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "repo/storage/sftp/sftp_client.h"
#include "tests/storage/sftp/fake_server.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using sftp::Type;

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

}  // namespace
}  // namespace restree::testing
