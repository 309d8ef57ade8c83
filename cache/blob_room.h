// The decoded blobs of a mount's readers, within one budget: blobs that are being loaded, blobs
// that replies are made of, blobs that a program is about to read the rest of, and, as far as there
// is room, blobs that were read before.
//
// A reading (one request of the kernel) begins when there is room for all blobs that it needs and
// that are not here, each with its sealed form; until then it waits. It gives its room back when
// its reply was sent. Blobs that are due, since a program that reads forward has not come to their
// end yet, stay until they were read, so that no byte is loaded twice, unless that program has
// plainly left them; while readings wait, nothing is loaded ahead. Which of the waiting begins
// first, when a blob is given up, why none waits for ever, and how much memory this takes:
// docs/memory.md.
//
// Ownership: the source must outlive it; a reading must not outlive the room.
// Threads:   any. No load runs under the lock; readings that want the same blob share one load.
// Limits:    `budget_bytes` for everything that is here, `small_bytes` more for small readings that
//            pass others by, and `budget_bytes` / kCopiedShare for ends of blobs that were copied.
//            A reading that is larger than the budget begins when nothing else is under way.
// Errors:    those of the source; a failure is remembered for a moment (LoadingCache).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "cache/read_marks.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/loading_cache.h"
#include "repo/base/outages.h"
#include "repo/blob_source.h"

namespace restree {

class BlobRoom {
 public:
  static constexpr std::size_t kCopiedShare = 4;

  using Clock = Deadline::Clock;
  struct Options {
    std::size_t budget_bytes;
    // Readings that load at most this much, sealed and plain, pass larger ones by.
    std::size_t small_reading_bytes = 1 << 20;
    std::size_t small_bytes = 2 << 20;
    // The length of a blob's sealed form, of which a load needs the memory as well. May take a
    // moment: it is called without a lock.
    std::function<std::size_t(const BlobId&)> sealed_bytes = [](const BlobId&) {
      return std::size_t{0};
    };
    // How long readings wait while nobody comes for any of the blobs that are due, before one of
    // these is given up; and, once that has proved right several times, how long at least.
    Clock::duration kept_for_reader = std::chrono::seconds(2);
    Clock::duration least_kept = std::chrono::milliseconds(20);
    // A program that is so many bytes past a blob does not come back for it: what the kernel
    // requests of one file at a time, in any order, lies nearer together.
    std::uint64_t passed_bytes = 1 << 20;
    // Of the source; nullptr: nobody counts them.
    std::shared_ptr<const Outages> outages = nullptr;
    std::function<Clock::time_point()> now = Clock::now;
  };

  BlobRoom(BlobSource& source, Options options);

  // Where in which file a reading begins. All readers of one file are one reader to the kernel.
  struct Way {
    std::uint64_t reader = 0;  // 0: nobody in particular
    std::uint64_t offset = 0;
    // Its program reads forward, so that the rest of the blobs will be wanted soon. Otherwise it
    // has just leapt to here.
    bool goes_on = false;
  };
  // What a reading wants of a data blob.
  struct Part {
    BlobId id;
    std::size_t blob_bytes;
    std::size_t begin;
    std::size_t length;

    std::size_t end() const { return begin + length; }
    bool has_end() const { return end() >= blob_bytes; }
  };

  // Room for one request, from start() until it is destroyed. Move-only.
  // Threads: one at a time.
  class Reading {
   public:
    Reading(Reading&& other) noexcept;
    Reading& operator=(Reading&&) = delete;
    ~Reading();

    // The blob of a part, and where in the returned bytes the part begins; loads it if need be.
    struct Found {
      SharedBlob blob;
      std::size_t begin;
      bool is_whole;  // false: the blob has not the size that the reading was started with
    };
    Result<Found> load(std::size_t part, Deadline by);

   private:
    friend BlobRoom;
    struct Held {
      Part part;
      std::size_t weight;    // of its load
      std::uint64_t offset;  // of the blob in the file
      SharedBlob copied;  // the wanted end of a blob that was let go while the reading had to wait
      bool is_held = false;
    };
    Reading(BlobRoom& room, std::span<const Part> parts, const Way& way);

    BlobRoom* room_;  // nullptr: moved from
    std::vector<Held> parts_;
    Way way_;
    bool is_over_ = false;  // began past the budget
    std::size_t copied_bytes_ = 0;
    std::size_t small_bytes_ = 0;
  };

  // Waits for room for all parts together. The parts follow one another in the file.
  Reading start(std::span<const Part> parts, const Way& way);

  // A blob that will be read soon: by whom, and where in the file it begins.
  struct Expected {
    BlobId id;
    std::size_t blob_bytes;
    std::uint64_t reader = 0;
    std::uint64_t offset = 0;
  };
  // Loads it, if there is room that no reading waits for; the blob is then due. An error is left to
  // the reading that wants the blob.
  void load_ahead(const Expected& blob, Deadline by);
  // True while readings wait: then nothing is worth loading ahead.
  bool is_short() const;
  // True if the blob is here or being loaded.
  bool knows(const BlobId& id) const;

  struct Figures {
    std::size_t used_bytes;        // by all that is here or under way
    std::size_t waiting;           // readings
    std::uint64_t given_up_bytes;  // bytes of blobs that were due and had to go
  };
  Figures figures() const;

 private:
  using Order = std::list<BlobId>;
  struct Entry {
    SharedBlob value = nullptr;  // nullptr: not loaded yet
    std::size_t weight = 0;      // until it is loaded, with its sealed form
    std::uint64_t bytes = 0;     // of the blob
    std::uint64_t reader = 0;    // of the last reader that came for it
    std::uint64_t offset = 0;    // in the file of that reader
    unsigned holders = 0;        // readings and loads ahead
    ReadMarks marks;
    Clock::time_point touched{};
    std::uint64_t loaded_then = 0;  // State::loaded when it was touched
    Order* order = nullptr;         // while nothing holds it: `due` or `read`
    Order::iterator place{};
  };
  struct Waiting;
  using Queue = std::list<Waiting*>;
  struct Waiting {
    Reading* reading;
    Queue* queue = nullptr;
    Queue::iterator place{};
    bool has_begun = false;
    bool is_timed = false;  // it wakes up when a blob that is due is given up
    std::condition_variable changed;
  };
  struct State {
    std::unordered_map<BlobId, Entry> entries;
    Order due;                    // front: touched last
    Order read;                   // front: used last
    std::size_t used = 0;         // weight of all entries
    std::size_t read_weight = 0;  // of those in `read`
    std::size_t copied = 0;
    std::size_t small = 0;     // of small readings that passed others by
    bool is_over = false;      // a reading that began past the budget is under way
    std::uint64_t loaded = 0;  // bytes, in all
    // When somebody came last for a blob that is due, or a reading that waited began.
    Clock::time_point moved{};
    Clock::duration patience{};  // from kept_for_reader down to least_kept
    Queue ending;  // readings that end a blob whose end could not be copied: before the others
    Queue waiting;
    Queue small_waiting;                                // beside the others
    std::unordered_multimap<BlobId, Waiting*> awaited;  // by what they want, here or not

    std::uint64_t given_up_bytes = 0;

    // Nothing may be loaded that they do not need.
    bool is_short() const { return !ending.empty() || !waiting.empty(); }
    Waiting* first() const { return !ending.empty() ? ending.front() : waiting.front(); }
  };

  std::size_t weight_of_load(const Part& part) const EXCLUDES(state_);
  struct Weight {
    std::size_t loading = 0;  // with the sealed forms
    std::size_t loaded = 0;
  };
  Weight missing_weight(const State& state, const Reading& reading) const;
  std::size_t ending_weight(const State& state, const Reading& reading) const;
  bool may_begin(State& state, const Reading& reading) REQUIRES(state_);
  bool try_begin(State& state, Reading& reading) REQUIRES(state_);
  bool try_begin_small(State& state, Reading& reading) REQUIRES(state_);
  void begin(State& state, Reading& reading) REQUIRES(state_);
  bool make_room(State& state, std::size_t weight) REQUIRES(state_);
  bool give_up_oldest(State& state) REQUIRES(state_);
  void let_go_what_it_passed(State& state, const Reading& reading) REQUIRES(state_);
  void give_up(State& state, BlobId id) REQUIRES(state_);
  void drop_oldest_read(State& state) REQUIRES(state_);
  bool copy_ends(State& state, Reading& reading) REQUIRES(state_);
  void wait(Guarded<State>::Handle& state, Reading& reading) REQUIRES(state_);
  static void enqueue(Waiting& waiting, Queue& queue);
  void go(State& state, Waiting& waiting) REQUIRES(state_);
  void has_come(State& state, const BlobId& id) REQUIRES(state_);
  void begin_waiting(State& state) REQUIRES(state_);

  void hold(State& state, const Expected& blob, std::size_t weight) REQUIRES(state_);
  void hold(State& state, const Reading& reading, const Reading::Held& held) REQUIRES(state_);
  void leave(State& state, const BlobId& id) REQUIRES(state_);
  void put_in_order(State& state, const BlobId& id, Entry& entry) REQUIRES(state_);
  void take_out_of_order(State& state, Entry& entry) REQUIRES(state_);
  void note_read(Entry& entry, const Part& part, bool goes_on) REQUIRES(state_);
  void put(State& state, const BlobId& id, const SharedBlob& blob) REQUIRES(state_);
  void end(Reading& reading) EXCLUDES(state_);
  Result<SharedBlob> fetch(const BlobId& id, Deadline by) EXCLUDES(state_);

  BlobSource& source_;
  const Options options_;
  LoadingCache<BlobId, Bytes> loads_;  // shares loads and remembers failures; keeps no blob
  Guarded<State> state_;
};

}  // namespace restree
