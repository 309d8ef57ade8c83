// Blobs that are lost or damaged in one repository, and whole in a second one.
#include "repo/second_repository.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "repo/base/log.h"
#include "repo/repository.h"
#include "tests/repo/data_loading.h"
#include "tests/support/files.h"
#include "tests/support/gate.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::load;
using testing::MemoryRepository;
using ::testing::Not;
using testing::read_file;
using testing::soon;
using testing::text_of;
using testing::value_of;
using Opened = Result<std::shared_ptr<Repository>>;

TEST(IsForSecond, WhatIsLostOrDamagedAndNotWhatIsOnlyOutOfReach) {
  for (const ErrorKind kind : {ErrorKind::kCorrupt, ErrorKind::kNotFound, ErrorKind::kDenied,
                               ErrorKind::kLocalIo, ErrorKind::kUnsupported}) {
    EXPECT_TRUE(is_for_second(kind)) << to_string(kind);
  }
  EXPECT_FALSE(is_for_second(ErrorKind::kUnavailable));
  EXPECT_FALSE(is_for_second(ErrorKind::kCancelled));
}

// The same two blobs in two repositories, of which the second is opened as `opening_` says.
class SecondRepositoryTest : public ::testing::Test {
 protected:
  SecondRepositoryTest() {
    EXPECT_OK(log::open_file(log_file_));
    for (MemoryRepository* const memory : {&first_, &second_}) {
      blob_ = memory->builder().add_data("content");
      tree_ = memory->builder().add_tree({});
      memory->builder().finish();
    }
    open_first();
  }

  void open_first() {
    repository_ = first_.open();
    SecondRepository::Settings settings;
    settings.name = "/second";
    settings.first_name = "/first";
    settings.first_polynomial = polynomial_;
    settings.patience = patience_;
    settings.stop = stop_;
    settings.between_attempts = {std::chrono::minutes(1), 2, std::chrono::minutes(10)};
    settings.now = [this] { return SecondRepository::Clock::time_point() + now_.load(); };
    settings.open = [this](const std::stop_token& stop) -> Opened {
      ++openings_;
      return opening_(stop);
    };
    from_second_ = std::make_shared<SecondRepository>(std::move(settings));
    repository_->use_second(from_second_);
  }
  void lose(const BlobId& id) { first_.remove_packs_of(id); }
  std::string log() const { return read_file(log_file_); }

  const testing::TempDir dir_;
  const std::string log_file_ = dir_.path() / "log";
  MemoryRepository first_{1};
  MemoryRepository second_{2};
  BlobId blob_;
  BlobId tree_;
  std::atomic<std::chrono::seconds> now_ = std::chrono::seconds(1000);
  std::atomic<int> openings_ = 0;
  std::uint64_t polynomial_ = second_.open()->config().chunker_polynomial;
  SecondRepository::Clock::duration patience_ = std::chrono::seconds(60);
  std::stop_token stop_;
  std::function<Opened(const std::stop_token&)> opening_ =
      [this](const std::stop_token&) -> Opened { return std::shared_ptr(second_.open()); };
  std::shared_ptr<SecondRepository> from_second_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(SecondRepositoryTest, IsNotOpenedWhileNothingIsMissing) {
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
  EXPECT_EQ(repository_->size_anywhere(BlobType::kData, blob_), 7U);
  EXPECT_OK(repository_->load(BlobType::kTree, tree_, soon()));
  EXPECT_EQ(openings_, 0);
  EXPECT_EQ(from_second_->given_blobs(), 0U);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(SecondRepositoryTest, GivesDataAndTreesWhosePacksAreGone) {
  lose(blob_);
  lose(tree_);
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
  EXPECT_EQ(text_of(repository_->load(BlobType::kTree, tree_, soon())), "{\"nodes\":[]}\n");
  EXPECT_EQ(openings_, 1);
  EXPECT_EQ(from_second_->given_blobs(), 2U);
}

TEST_F(SecondRepositoryTest, GivesWhatIsDamaged) {
  for (const FileName& pack : first_.builder().pack_names_of(blob_)) first_.damage(pack);
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
}

TEST_F(SecondRepositoryTest, GivesWhatNoIndexNamesAndItsSize) {
  const BlobId only_there = second_.builder().add_data("only in the second");
  second_.builder().finish();
  EXPECT_EQ(repository_->blob_size(BlobType::kData, only_there), std::nullopt);
  EXPECT_EQ(repository_->size_anywhere(BlobType::kData, only_there), 18U);
  EXPECT_EQ(text_of(load(*repository_, only_there)), "only in the second");
}

TEST_F(SecondRepositoryTest, IsNamedInTheLogOnceWithTheFirstPackThatIsMissing) {
  const FileName pack = first_.builder().pack_names_of(blob_)[0];
  lose(blob_);
  lose(tree_);
  EXPECT_OK(load(*repository_, blob_));
  const std::string said = log();
  EXPECT_THAT(said, AllOf(HasSubstr("/second"), HasSubstr(pack.name)));
  EXPECT_OK(load(*repository_, blob_));
  EXPECT_OK(repository_->load(BlobType::kTree, tree_, soon()));
  EXPECT_EQ(log(), said);
}

TEST_F(SecondRepositoryTest, LeavesTheFirstErrorAndSaysThatItHasNeither) {
  lose(blob_);
  second_.remove_packs_of(blob_);
  const auto blob = load(*repository_, blob_);
  ASSERT_THAT(blob, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(blob.error().message(),
              AllOf(HasSubstr(first_.builder().pack_names_of(blob_)[0].name),
                    HasSubstr("not in the second repository either"),
                    HasSubstr(second_.builder().pack_names_of(blob_)[0].name)));
  EXPECT_EQ(from_second_->given_blobs(), 0U);
}

TEST_F(SecondRepositoryTest, IsNotAskedWhileTheFirstIsOutOfReach) {
  first_.storage().watch(
      [](const FileName&) -> Status { return Error(ErrorKind::kUnavailable, "nobody there"); });
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(openings_, 0);
}

TEST_F(SecondRepositoryTest, ThatCannotBeOpenedIsSaidOnceAndNotTriedForEachBlob) {
  opening_ = [](const std::stop_token&) -> Opened {
    return Error(ErrorKind::kWrongPassword, "wrong password").hinting("Look at the file");
  };
  lose(blob_);
  lose(tree_);
  const auto blob = load(*repository_, blob_);
  ASSERT_THAT(blob, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(blob.error().message(), Not(HasSubstr("second")));
  const std::string said = log();
  EXPECT_THAT(said, AllOf(HasSubstr("/second"), HasSubstr("/first"), HasSubstr("wrong password"),
                          HasSubstr("Look at the file")));
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(repository_->load(BlobType::kTree, tree_, soon()), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(openings_, 1);

  now_ = now_.load() + std::chrono::seconds(59);
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(openings_, 1);
  now_ = now_.load() + std::chrono::seconds(1);
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(openings_, 2);
  now_ = now_.load() + std::chrono::seconds(119);  // twice as long after two failures
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(openings_, 2);
  EXPECT_EQ(log(), said);
}

TEST_F(SecondRepositoryTest, ThatTheSystemRefusesThreadsIsAFailureLikeOthers) {
  opening_ = [](const std::stop_token&) -> Opened {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  };
  lose(blob_);
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(log(), AllOf(HasSubstr("/second"), HasSubstr("no more threads to give")));
}

TEST_F(SecondRepositoryTest, IsUsedOnceALaterAttemptHasOpenedIt) {
  const auto opening = opening_;
  opening_ = [](const std::stop_token&) -> Opened {
    return Error(ErrorKind::kUnavailable, "nobody there");
  };
  lose(blob_);
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
  opening_ = opening;
  now_ = now_.load() + std::chrono::minutes(1);
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
}

TEST_F(SecondRepositoryTest, IsOpenedOnceForManyReaders) {
  testing::Gate gate;
  opening_ = [&](const std::stop_token&) -> Opened {
    gate.pass();
    return std::shared_ptr(second_.open());
  };
  lose(blob_);
  std::vector<std::string> texts(4);
  {
    std::vector<std::jthread> readers;
    for (std::string& text : texts) {
      readers.emplace_back([&] { text = text_of(load(*repository_, blob_)); });
    }
    gate.wait_for_arrivals(1);
    gate.open();
  }
  EXPECT_THAT(texts, ::testing::Each("content"));
  EXPECT_EQ(openings_, 1);
}

TEST_F(SecondRepositoryTest, ThatHangsKeepsNoReaderBeyondItsDeadline) {
  testing::Gate gate;
  opening_ = [&](const std::stop_token&) -> Opened {
    gate.pass();
    return std::shared_ptr(second_.open());
  };
  lose(blob_);
  const auto blob =
      repository_->load(BlobType::kData, blob_, Deadline::after(std::chrono::milliseconds(50)));
  EXPECT_THAT(blob, FailsWith(ErrorKind::kCorrupt));
  gate.open();  // the attempt goes on, and later readers have it
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
  EXPECT_EQ(openings_, 1);
}

TEST_F(SecondRepositoryTest, ThatHangsIsWaitedForOnlySoLongByAllReadersTogether) {
  patience_ = std::chrono::milliseconds(50);
  open_first();
  testing::Gate gate;
  opening_ = [&](const std::stop_token&) -> Opened {
    gate.pass();
    return Error(ErrorKind::kUnavailable, "nobody there");
  };
  lose(blob_);
  EXPECT_EQ(repository_->size_anywhere(BlobType::kData, BlobId{}), std::nullopt);
  const Deadline by = Deadline::after(std::chrono::hours(1));
  EXPECT_THAT(repository_->load(BlobType::kData, blob_, by), FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(gate.arrived(), 1U);
  gate.open();
  repository_.reset();
  from_second_.reset();  // waits for the thread that has passed the gate
}

TEST_F(SecondRepositoryTest, IsToldToStopOpeningAtTheEnd) {
  std::atomic<bool> was_stopped = false;
  opening_ = [&](const std::stop_token& stop) -> Opened {
    while (!stop.stop_requested()) std::this_thread::yield();
    was_stopped = true;
    return Error(ErrorKind::kCancelled, "interrupted");
  };
  lose(blob_);
  EXPECT_THAT(
      repository_->load(BlobType::kData, blob_, Deadline::after(std::chrono::milliseconds(1))),
      FailsWith(ErrorKind::kCorrupt));
  repository_.reset();
  from_second_.reset();
  EXPECT_TRUE(was_stopped);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(SecondRepositoryTest, IsToldToStopOpeningWithTheProgramAndItsReadersGoOn) {
  std::stop_source program;
  stop_ = program.get_token();
  open_first();
  opening_ = [&](const std::stop_token& stop) -> Opened {
    program.request_stop();
    EXPECT_TRUE(stop.stop_requested());
    return Error(ErrorKind::kCancelled, "interrupted");
  };
  lose(blob_);
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(SecondRepositoryTest, WithAnotherPolynomialIsUsedAllTheSameAndTheLogSaysWhatItLacks) {
  ++polynomial_;
  open_first();
  lose(blob_);
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
  EXPECT_THAT(log(), HasSubstr("--copy-chunker-params"));
}

}  // namespace
}  // namespace restree
