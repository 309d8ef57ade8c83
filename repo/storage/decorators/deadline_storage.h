// A Storage whose calls end by their deadline although the storage that it decorates may hang: a
// folder on NFS, CIFS or sshfs keeps a thread in the kernel for as long as its server is away.
//
// Each call is made by a thread of its own, and copies what it reads or writes once more: nothing
// for a folder on a disk of this machine.
//
// Ownership: shares the storage that it decorates with the calls that are left behind.
// Threads:   any; one more for each call that is under way, at most kMostCalls.
// Errors:    those of that storage; kUnavailable: no answer by the deadline. A write or removal that
//            was left behind may still be made later. kCancelled: `stop` was requested while
//            the call was under way, and kStopTime has passed since.
// Until there was a first answer, calls end after kFirstContact. The log gets one line when one has
// had no answer for kQuietTime, and one when there is an answer again.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"
#include "repo/system/hanging_calls.h"

namespace restree {

class DeadlineStorage final : public ForwardingStorage {
 public:
  static constexpr std::size_t kMostCalls = 64;

  static constexpr std::chrono::seconds kFirstContact{10};
  static constexpr std::chrono::seconds kQuietTime{5};
  static constexpr std::chrono::seconds kStopTime{2};

  DeadlineStorage(std::shared_ptr<Storage> inner, std::stop_token stop);

  Status make_folders(Deadline by) override;
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  // Passed on to nobody: it would open the file, which may hang. Readers wait for the other side,
  // so there may be many.
  void expect(const FileName& file, ByteRange range) override;
  ReadHabit read_habit() const override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  // Not passed on: a call that is left behind would go on to use memory of the caller.
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override;

 private:
  // `what` the call does, for messages: "reading config".
  template <class Answer, class Call>
  Answer ask(const std::string& what, Deadline by, Call call);

  void note_silence(const std::string& what, Deadline by);
  void note_answer();

  struct Contact {
    bool was_there = false;  // ever
    bool is_told = false;    // the log has the line about the silence
  };
  const std::shared_ptr<Storage> shared_;
  const std::stop_token stop_;
  Guarded<Contact> contact_;
  HangingCalls calls_{kMostCalls};
};

}  // namespace restree
