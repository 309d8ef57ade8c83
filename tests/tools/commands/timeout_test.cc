// How long commands wait for a server that is away.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using testing::Outcome;
using testing::RestreeRunner;
using testing::TempDir;
using testing::TwoSnapshots;

// Remembers the most time that it was given for a request.
class TimedStorage final : public ForwardingStorage {
 public:
  explicit TimedStorage(Storage& inner)
      : ForwardingStorage(std::shared_ptr<Storage>(&inner, [](Storage*) {})) {}

  Deadline::Clock::duration longest() const { return *longest_.lock(); }

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    note(by);
    return inner().list(type, by);
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    note(by);
    return inner().size(file, by);
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    note(by);
    return inner().read(file, range, by);
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    note(by);
    return inner().read_into(buffer, file, range, by);
  }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    note(by);
    return inner().read_all(file, by);
  }

 private:
  void note(Deadline by) {
    auto longest = longest_.lock();
    *longest = std::max(*longest, by.remaining());
  }

  Guarded<Deadline::Clock::duration> longest_;
};

TEST(Timeout, HoldsForEveryRequestOfCommandsThatRead) {
  TwoSnapshots repository;
  const TempDir dir;
  const std::string cache = (dir.path() / "cache").string();
  const std::vector<std::vector<std::string>> commands = {
      {"dump", "latest", "/srv/f"},
      {"dump", "latest", "/"},
      {"restore", "latest", "--target", (dir.path() / "out").string()},
      {"restore", "latest", "--verify", "--target", (dir.path() / "out").string()},
      {"check", "--read-data"},
      {"check", repository.newer},
      {"warm", "srv", "--cache-dir", cache},
      {"ls", "latest"},
      {"find", "f"},
      {"diff", repository.older, repository.newer},
      {"stats", "latest"},
      {"snapshots"},
      {"list", "blobs"},
      {"cat", "snapshot", repository.newer},
  };
  for (std::vector<std::string> words : commands) {
    const auto storage = std::make_shared<TimedStorage>(repository.memory.storage());
    words.insert(words.end(), {"-o", "timeout=7"});
    const Outcome outcome = RestreeRunner(storage).run(words);
    EXPECT_EQ(outcome.code, ExitCode::kSuccess) << words[0] << ": " << outcome.err;
    EXPECT_LE(storage->longest(), std::chrono::seconds(7)) << words[0];
    EXPECT_GT(storage->longest(), std::chrono::seconds(0)) << words[0];
  }
}

}  // namespace
}  // namespace restree
