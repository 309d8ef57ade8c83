// A storage that fails, delays, tears and lies, as a seed decides.
//
// Fails: a call returns an error, and has done nothing; or it has done its work, and the answer is lost.
// Delays: a call takes some milliseconds. Tears: a write leaves the first part of a file under its name, and
// an error. Lies: a read returns a wrong bit, or a whole file lacks its end. What is not among them, as no
// program could do anything about it: a listing without a file that is there, a write that was lost
// although it had succeeded.
//
// Ownership: shares the storage that it decorates.
// Threads:   any. Which of several calls at once meets which fault is not decided by the seed.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"
#include "tests/support/split_mix.h"

namespace restree::testing {

class FaultyStorage final : public ForwardingStorage {
 public:
  explicit FaultyStorage(std::shared_ptr<Storage> inner) : ForwardingStorage(std::move(inner)) {}

  struct Faults {
    std::uint64_t seed = 0;
    std::uint64_t one_in = 10;  // calls meets a fault
    bool lies = true;
  };
  // From now on until disarm().
  void arm(const Faults& faults) {
    auto state = state_.lock();
    state->random = SplitMix64(faults.seed);
    state->faults = faults;
  }
  void disarm() { state_.lock()->faults.reset(); }
  // Calls while it was armed, and how many of them met a fault.
  std::uint64_t calls() const { return state_.lock()->calls; }
  std::uint64_t met() const { return state_.lock()->met; }

  Status reach(Deadline by) override {
    RETURN_IF_ERROR(before("reach"));
    return inner().reach(by);
  }
  Status make_folders(Deadline by) override {
    RETURN_IF_ERROR(before("make folders"));
    return inner().make_folders(by);
  }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    RETURN_IF_ERROR(before("list"));
    return inner().list(type, by);
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    RETURN_IF_ERROR(before("size of " + file.name));
    return inner().size(file, by);
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    const Met met = meet();
    RETURN_IF_ERROR(failure(met, "read " + file.name));
    ASSIGN_OR_RETURN(Bytes bytes, inner().read(file, range, by));
    if (met.kind == Kind::kLie) turn_over(bytes.data(), bytes.size(), met.luck);
    return bytes;
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    const Met met = meet();
    RETURN_IF_ERROR(failure(met, "read " + file.name));
    ASSIGN_OR_RETURN(const MutableByteView view, inner().read_into(buffer, file, range, by));
    if (met.kind == Kind::kLie) turn_over(view.data(), view.size(), met.luck);
    return view;
  }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    const Met met = meet();
    RETURN_IF_ERROR(failure(met, "read " + file.name));
    ASSIGN_OR_RETURN(Bytes bytes, inner().read_all(file, by));
    // A lock that cannot be read is read again for half a minute, as it may be about to be written.
    const bool may_lie = file.type != FileType::kLock && bytes.size() > 0;
    if (met.kind != Kind::kLie || !may_lie) return bytes;
    if (met.luck % 3 == 0) return Bytes::copy_of(bytes.view().first(met.luck % bytes.size()));
    turn_over(bytes.data(), bytes.size(), met.luck);
    return bytes;
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    const Met met = meet();
    RETURN_IF_ERROR(failure(met, "write " + file.name));
    const bool is_torn =
        met.kind == Kind::kTear && !content.empty() && file.type != FileType::kLock;
    const ByteView stored = is_torn ? content.first(met.luck % content.size()) : content;
    RETURN_IF_ERROR(inner().write(file, stored, by));
    if (is_torn || met.kind == Kind::kLateFailure) return error(met, "write " + file.name);
    return {};
  }
  Status remove(const FileName& file, Deadline by) override {
    const Met met = meet();
    RETURN_IF_ERROR(failure(met, "remove " + file.name));
    RETURN_IF_ERROR(inner().remove(file, by));
    if (met.kind == Kind::kLateFailure) return error(met, "remove " + file.name);
    return {};
  }
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override {
    RETURN_IF_ERROR(before("remove leftovers"));
    return inner().remove_leftovers(which, by);
  }
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override {
    RETURN_IF_ERROR(before("free bytes"));
    return inner().free_bytes(by);
  }

 private:
  enum class Kind : std::uint8_t { kNone, kFailure, kLateFailure, kDelay, kTear, kLie };
  // What a call meets.
  struct Met {
    Kind kind = Kind::kNone;
    std::uint64_t luck = 0;
  };
  struct State {
    std::optional<Faults> faults;
    SplitMix64 random{0};
    std::uint64_t calls = 0;
    std::uint64_t met = 0;
  };

  Met meet() {
    auto state = state_.lock();
    if (!state->faults) return {};
    ++state->calls;
    if (state->random() % state->faults->one_in != 0) return {};
    ++state->met;
    constexpr std::array kKinds{Kind::kFailure, Kind::kFailure, Kind::kLateFailure,
                                Kind::kDelay,   Kind::kTear,    Kind::kLie};
    Met met{.kind = kKinds[state->random() % kKinds.size()], .luck = state->random()};
    if (met.kind == Kind::kLie && !state->faults->lies) met.kind = Kind::kFailure;
    return met;
  }
  // What comes before the call itself; a delay passes here.
  static Status failure(const Met& met, const std::string& doing) {
    if (met.kind == Kind::kDelay) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1 + met.luck % 3));
    }
    return met.kind == Kind::kFailure ? Status(error(met, doing)) : Status();
  }
  Status before(const std::string& doing) { return failure(meet(), doing); }
  static Error error(const Met& met, const std::string& doing) {
    constexpr std::array kKinds{ErrorKind::kUnavailable, ErrorKind::kDenied, ErrorKind::kLocalIo};
    return {kKinds[met.luck / 7 % kKinds.size()], doing + ": a fault of the test"};
  }
  static void turn_over(std::byte* bytes, std::size_t size, std::uint64_t luck) {
    if (size > 0) bytes[luck % size] ^= std::byte{1} << (luck % 8);
  }

  mutable Guarded<State> state_;
};

}  // namespace restree::testing
