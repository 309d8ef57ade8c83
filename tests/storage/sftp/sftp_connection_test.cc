// Which files an SftpConnection opens, and when, as the server sees it.
#include "repo/storage/sftp/sftp_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/storage/sftp/fake_server.h"
#include "tests/support/gate.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using sftp::Type;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

std::string text_of(const Received& request) {
  PacketReader reader(request.body);
  return std::string(reader.string());
}

class SftpConnectionTest : public SftpClientTest {
 protected:
  // A server that has the files, and notes what it is asked for: "open a", "read a", "close a".
  // Before it answers the first open it passes `gate`.
  SftpConnection& connect(std::vector<std::string> files, Gate* gate = nullptr) {
    auto client = client_of([this, gate, files = std::move(files)](FakeServer& server) {
      server.greet();
      for (Received request = server.receive(); request.type != Type::kInit;
           request = server.receive()) {
        answer(server, request, files, gate);
      }
    });
    return *(connection_ = std::make_unique<SftpConnection>(std::move(client)));
  }
  // What the server was asked for so far. Ends the connection: what it then closes may or may not
  // come to the server.
  std::vector<std::string> asked() {
    is_ending_ = true;
    connection_.reset();
    server_.join();
    return asked_;
  }
  static Result<Bytes> read(SftpConnection& connection, const std::string& path) {
    return connection.read(path, 0, 10, soon());
  }

 private:
  void answer(FakeServer& server, const Received& request, const std::vector<std::string>& files,
              Gate* gate) {
    const std::string name = text_of(request);
    if (request.type == Type::kOpen) {
      if (gate != nullptr && asked_.empty()) gate->pass();
      asked_.push_back("open " + name);
      const bool is_there = std::ranges::find(files, name) != files.end();
      if (is_there) return server.answer_handle(request.id, name);
      return server.answer_status(request.id, sftp::StatusCode::kNoSuchFile);
    }
    if (request.type == Type::kClose) {
      if (is_ending_) return;
      asked_.push_back("close " + name);
      return server.answer_status(request.id, sftp::StatusCode::kOk);
    }
    asked_.push_back("read " + name);
    const ReadRequest read = as_read(request);
    server.answer_data(read.id, pattern(read.offset, read.length));
  }

  std::atomic<bool> is_ending_ = false;
  std::vector<std::string> asked_;  // by the server's thread until it has ended
  std::unique_ptr<SftpConnection> connection_;
};

TEST_F(SftpConnectionTest, AFileStaysOpenForTheNextRead) {
  SftpConnection& connection = connect({"a"});
  EXPECT_THAT(read(connection, "a"), Holds(pattern(0, 10)));
  EXPECT_THAT(read(connection, "a"), Holds(pattern(0, 10)));
  EXPECT_THAT(asked(), ElementsAre("open a", "read a", "read a"));
}

TEST_F(SftpConnectionTest, AFileThatWasOpenedBeforehandIsNotOpenedByItsRead) {
  Gate gate;
  SftpConnection& connection = connect({"a", "b"}, &gate);
  connection.open_ahead("a");
  connection.open_ahead("a");  // it is being opened
  gate.open();
  EXPECT_THAT(read(connection, "a"), Holds(pattern(0, 10)));
  connection.open_ahead("a");  // it is open
  EXPECT_THAT(read(connection, "b"), Holds(pattern(0, 10)));
  EXPECT_THAT(asked(), ElementsAre("open a", "read a", "open b", "read b"));
}

TEST_F(SftpConnectionTest, AReadOpensWhatCouldNotBeOpenedBeforehand) {
  SftpConnection& connection = connect({});
  connection.open_ahead("a");
  EXPECT_THAT(read(connection, "a"), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(asked(), ElementsAre("open a", "open a"));
}

TEST_F(SftpConnectionTest, AFileThatIsReplacedWhileItIsOpenedIsClosedAndOpenedAnew) {
  Gate gate;
  SftpConnection& connection = connect({"a"}, &gate);
  connection.open_ahead("a");
  connection.forget("a");
  gate.open();
  EXPECT_THAT(read(connection, "a"), Holds(pattern(0, 10)));
  connection.open_ahead("b");  // takes care of what was answered meanwhile
  EXPECT_THAT(read(connection, "a"), Holds(pattern(0, 10)));
  EXPECT_THAT(asked(), ElementsAre("open a", "open a", "read a", "open b", "close a", "read a"));
}

TEST_F(SftpConnectionTest, FewFilesAreOpenedBeforehandAtOnce) {
  Gate gate;
  SftpConnection& connection = connect({}, &gate);
  std::vector<std::string> opened;
  for (std::size_t i = 0; i < SftpConnection::kMaxOpening + 3; ++i) {
    connection.open_ahead(std::to_string(i));
    if (i < SftpConnection::kMaxOpening) opened.push_back("open " + std::to_string(i));
  }
  gate.open();
  EXPECT_THAT(read(connection, "0"), FailsWith(ErrorKind::kNotFound));
  opened.emplace_back("open 0");
  EXPECT_EQ(asked(), opened);
}

TEST_F(SftpConnectionTest, WhereTheServerHoldsFewFilesNoneIsOpenedBeforehand) {
  SftpConnection& connection = connect({"a", "b"});
  connection.client().handles().set_most(SftpHandles::kKeptFree);
  connection.open_ahead("a");
  EXPECT_THAT(read(connection, "b"), Holds(pattern(0, 10)));
  EXPECT_THAT(asked(), ElementsAre("open b", "read b"));
}

TEST_F(SftpConnectionTest, WhatWasOpenedBeforehandAndIsNotReadIsGivenBack) {
  SftpConnection& connection = connect({"a", "b"});
  connection.open_ahead("a");
  EXPECT_THAT(read(connection, "b"), Holds(pattern(0, 10)));  // answered after a
  connection.forget_idle();
  EXPECT_THAT(read(connection, "b"), Holds(pattern(0, 10)));  // asked for after the closing
  EXPECT_THAT(asked(), IsSupersetOf({"open a", "close a", "close b"}));
}

}  // namespace
}  // namespace restree::testing
