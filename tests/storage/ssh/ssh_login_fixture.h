// A real sshd with one file to read, and ways to log in to it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "program/storage_kinds.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/process.h"
#include "tests/support/sshd.h"

namespace restree::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline const FileName kConfig{FileType::kConfig, ""};

class SshLoginTest : public ::testing::Test {
 protected:
  void serve(SshdOptions options = {}) {
    sshd_.emplace(std::move(options));
    fs::create_directories(root());
    write_file(root() / "config", "hello");
    options_ = sshd_->ssh_options();
  }
  fs::path root() const { return sshd_->folder() / "repo"; }
  Sshd& sshd() { return *sshd_; }

  Result<Bytes> read_from(const std::string& location,
                          std::chrono::milliseconds time = std::chrono::seconds(20)) {
    const auto storage = value_of(value_of(parse_location(location))->make_storage(options_));
    return storage->read_all(kConfig, Deadline::after(time));
  }
  Result<Bytes> read(std::chrono::milliseconds time = std::chrono::seconds(20)) {
    return read_from(sshd_->location(root()), time);
  }
  // The message of a read that fails at its deadline. Longer deadlines are tried until the message
  // is the expected one, as a busy machine may be late to receive the server's reason.
  std::string last_word(const std::string& expected) {
    std::string message;
    for (auto time = 500ms; time < 20s && message.find(expected) == std::string::npos; time *= 2) {
      const auto answer = read(time);
      EXPECT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
      if (answer) return "";
      message = answer.error().message();
    }
    return message;
  }
  // The whole error, with its hint.
  std::string refusal() {
    const auto answer = read();
    EXPECT_THAT(answer, FailsWith(ErrorKind::kDenied));
    return answer ? "" : answer.error().for_people();
  }
  void configure(const std::string& text) { write_file(sshd_->ssh_config(), text); }
  static SecretSource secret(const std::string& text) {
    return [text](const std::string&) -> Result<Secret> { return Secret(std::string(text)); };
  }
  std::string port() { return std::to_string(sshd().port()); }

  std::optional<Sshd> sshd_;
  SshOptions options_;
};

}  // namespace restree::testing
