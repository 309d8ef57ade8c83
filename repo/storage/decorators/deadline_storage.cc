#include "repo/storage/decorators/deadline_storage.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <optional>
#include <system_error>
#include <utility>

#include "repo/base/log.h"

namespace restree {
namespace {

std::string until(Deadline by) {
  if (by.remaining() > std::chrono::hours(24)) return "for it";
  const std::time_t end = std::chrono::system_clock::to_time_t(
      std::chrono::system_clock::now() +
      std::chrono::duration_cast<std::chrono::system_clock::duration>(by.remaining()));
  return fmt::format("until {:%H:%M:%S}", fmt::localtime(end));
}

}  // namespace

DeadlineStorage::DeadlineStorage(std::shared_ptr<Storage> inner, std::stop_token stop)
    : ForwardingStorage(inner), shared_(std::move(inner)), stop_(std::move(stop)) {}

void DeadlineStorage::note_silence(const std::string& what, Deadline by) {
  if (std::exchange(contact_.lock()->is_told, true)) return;
  log::warning(
      "{}: {}: no answer for {} s from the file system, whose server may be away; waiting {}",
      description(), what, kQuietTime.count(), until(by));
}

void DeadlineStorage::note_answer() {
  auto contact = contact_.lock();
  contact->was_there = true;
  if (std::exchange(contact->is_told, false)) log::warning("{}: answers again", description());
}

template <class Answer, class Call>
Answer DeadlineStorage::ask(const std::string& what, Deadline by, Call call) {
  if (!contact_.lock()->was_there) by = Deadline::earlier(by, Deadline::after(kFirstContact));
  // What a program does after it was asked to stop, such as removing its lock, is waited for.
  const std::stop_token stop = stop_.stop_requested() ? std::stop_token() : stop_;
  try {
    const auto begun = calls_.begin<Answer>(
        [storage = shared_, made = std::move(call)] { return made(*storage); });
    bool is_done = begun->is_done_by(Deadline::earlier(by, Deadline::after(kQuietTime)), stop);
    if (!is_done && !by.expired() && !stop.stop_requested()) {
      note_silence(what, by);
      is_done = begun->is_done_by(by, stop);
    }
    // A server that is there answers soon: then nothing is left that may still be made later.
    if (!is_done && stop.stop_requested()) {
      is_done = begun->is_done_by(Deadline::earlier(by, Deadline::after(kStopTime)));
    }
    if (is_done) {
      note_answer();
      return begun->answer();
    }
  } catch (const std::system_error& failure) {
    return Error(ErrorKind::kLocalIo,
                 fmt::format("{}: no thread can be started for it: {}", what, failure.what()));
  }
  if (stop.stop_requested()) return Error(ErrorKind::kCancelled, what + ": interrupted");
  return Error(ErrorKind::kUnavailable,
               fmt::format("{}: no answer in time from the file system of {}", what,
                           shared_->description()))
      .hinting("Its server may be away; `ls` of that folder hangs as well then.");
}

Status DeadlineStorage::make_folders(Deadline by) {
  return ask<Status>("making the folders of the repository", by,
                     [by](Storage& storage) { return storage.make_folders(by); });
}

Result<std::vector<ListedFile>> DeadlineStorage::list(FileType type, Deadline by) {
  return ask<Result<std::vector<ListedFile>>>(
      fmt::format("listing {}", directory_of(type)), by,
      [type, by](Storage& storage) { return storage.list(type, by); });
}

Result<std::uint64_t> DeadlineStorage::size(const FileName& file, Deadline by) {
  return ask<Result<std::uint64_t>>(
      "looking at " + relative_path(file), by,
      [file, by](Storage& storage) { return storage.size(file, by); });
}

Result<Bytes> DeadlineStorage::read(const FileName& file, ByteRange range, Deadline by) {
  return ask<Result<Bytes>>(
      "reading " + relative_path(file), by,
      [file, range, by](Storage& storage) { return storage.read(file, range, by); });
}

// Not into the caller's memory: the call may be left behind and write there later.
Result<MutableByteView> DeadlineStorage::read_into(Bytes& buffer, const FileName& file,
                                                   ByteRange range, Deadline by) {
  ASSIGN_OR_RETURN(buffer, read(file, range, by));
  return buffer.view();
}

void DeadlineStorage::expect(const FileName& /*file*/, ByteRange /*range*/) {}

ReadHabit DeadlineStorage::read_habit() const {
  ReadHabit habit = shared_->read_habit();
  habit.waits = true;
  return habit;
}

Result<Bytes> DeadlineStorage::read_all(const FileName& file, Deadline by) {
  return ask<Result<Bytes>>("reading " + relative_path(file), by,
                            [file, by](Storage& storage) { return storage.read_all(file, by); });
}

Status DeadlineStorage::write(const FileName& file, ByteView content, Deadline by) {
  return ask<Status>("writing " + relative_path(file), by,
                     [file, copy = std::make_shared<const Bytes>(Bytes::copy_of(content)),
                      by](Storage& storage) { return storage.write(file, copy->view(), by); });
}

Status DeadlineStorage::join(std::span<const FileRange> /*ranges*/, ByteView /*end*/,
                             const NameJoined& /*name*/, Deadline /*by*/) {
  return cannot_join(description());
}

Status DeadlineStorage::remove(const FileName& file, Deadline by) {
  return ask<Status>("removing " + relative_path(file), by,
                     [file, by](Storage& storage) { return storage.remove(file, by); });
}

Result<std::size_t> DeadlineStorage::remove_leftovers(const Leftovers& which, Deadline by) {
  return ask<Result<std::size_t>>(
      "removing what cut off writes have left", by,
      [which, by](Storage& storage) { return storage.remove_leftovers(which, by); });
}

Result<std::optional<std::uint64_t>> DeadlineStorage::free_bytes(Deadline by) {
  return ask<Result<std::optional<std::uint64_t>>>(
      "asking for free space", by, [by](Storage& storage) { return storage.free_bytes(by); });
}

}  // namespace restree
