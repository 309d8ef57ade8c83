// Backups, prunes, forgets and readers at once, in orders of their requests that a seed decides, some
// of them killed: whatever the order, no snapshot loses anything. Nor does one in a picture of the
// storage that was taken in the midst of it.
#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>

#include "repo/base/log.h"
#include "repo/format/tree.h"
#include "repo/lock/repository_lock.h"
#include "repo/repairer/unindexed_packs.h"
#include "tests/pruner/picture_storage.h"
#include "tests/pruner/pruned_repository.h"
#include "tests/support/machines.h"
#include "tests/support/scale.h"
#include "tests/support/split_mix.h"
#include "tests/support/turns.h"

namespace restree::testing {
namespace {

using std::chrono::milliseconds;

constexpr LockTimes kQuick{.settle = milliseconds(1),
                           .first_retry = milliseconds(1),
                           .longest_retry = milliseconds(4),
                           .good_look = milliseconds(0)};
// So few that backups find what others have stored, or are about to remove.
constexpr unsigned kBlobs = 12;
constexpr std::size_t kBlobBytes = 3000;

std::string content_of(unsigned number) { return random_bytes(number, kBlobBytes); }

// What the test knows of the snapshots that have been saved.
struct Ledger {
  std::map<std::string, std::vector<unsigned>> saved;  // blobs by the name of the snapshot's file
  std::set<std::string> forgotten;                     // or perhaps, if the program was killed
  std::vector<std::string> findings;
};

// What all actors share.
struct World {
  std::shared_ptr<Storage> storage;
  Turns& turns;
  Guarded<Ledger>& ledger;
  // The numbers of the processes that live.
  std::shared_ptr<Guarded<std::set<std::uint32_t>>> living;
};

// One program: a repository, opened through a storage of its own, and a lock.
class Program {
 public:
  // Whoever it is: `number` among the actors of its wave, and `pid` among all.
  struct Actor {
    std::size_t number;
    std::uint32_t pid;
    std::uint64_t seed;
    std::optional<std::uint64_t> requests;  // until it is killed
  };
  Program(World world, const Actor& actor)
      : world_(std::move(world)),
        pid_(actor.pid),
        random_(actor.seed),
        storage_(std::make_shared<StorageInTurns>(world_.storage, world_.turns, actor.number,
                                                  actor.requests)) {}
  virtual ~Program() = default;

  // Errors of a program that was killed, or did not get its lock, are none.
  void run() {
    const Status done = run_with_repository();
    world_.living->lock()->erase(pid_);
    if (done || storage_->is_dead() || done.error().kind() == ErrorKind::kLocked) return;
    found(done.error().for_people());
  }

 protected:
  virtual Status work() = 0;

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void found(const std::string& what) {
    world_.ledger.lock()->findings.push_back(std::to_string(pid_) + ": " + what);
  }
  Repository& repository() { return *repository_; }
  bool is_dead() const { return storage_->is_dead(); }
  Status lock(bool exclusive) {
    lock_.reset();
    ASSIGN_OR_RETURN(lock_, RepositoryLock::acquire(*repository_,
                                                    {.exclusive = exclusive,
                                                     .retry_for = std::chrono::seconds(20),
                                                     .warn = [](const std::string&) {},
                                                     .times = kQuick,
                                                     .machine = machine()},
                                                    soon()));
    return {};
  }
  const RepositoryLock& lock() const { return *lock_; }

  World world_;

 private:
  Status run_with_repository() {
    ASSIGN_OR_RETURN(repository_,
                     Repository::open(storage_, Secret(std::string(kPassword)), "", soon()));
    const Status done = work();
    lock_.reset();
    repository_.reset();
    return done;
  }
  Machine machine() const {
    Machine machine = MadeUpMachine().seen_by(pid_);
    machine.look_at = [living = world_.living](std::uint32_t pid) -> ProcessSight {
      if (!living->lock()->contains(pid)) return {.is_gone = true};
      return {.start_ticks = MadeUpMachine().place.start_ticks};
    };
    return machine;
  }

  const std::uint32_t pid_;
  SplitMix64 random_;
  const std::shared_ptr<StorageInTurns> storage_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<RepositoryLock> lock_;
};

class BackupProgram final : public Program {
 public:
  using Program::Program;

 protected:
  Status work() override {
    RETURN_IF_ERROR(lock(false));
    RETURN_IF_ERROR(repository().refresh_index(soon()));
    RepositoryWriter::Options options{.pack_bytes = 2 * kBlobBytes};
    ASSIGN_OR_RETURN(options.lost_packs, look_at_leftovers());
    RepositoryWriter writer(repository(), options, {});
    std::vector<unsigned> numbers;
    const Status saved = save(writer, numbers);
    if (!saved) {
      (void)writer.finish_early();
      return saved;
    }
    return {};
  }

 private:
  // As `restree backup` does: what a killed program has stored is used.
  Result<std::vector<PackId>> look_at_leftovers() {
    ASSIGN_OR_RETURN(PackDifferences packs, compare_packs(repository(), soon()));
    if (!packs.lost.empty()) found("the index names packs that are not there");
    if (!lock().has_company()) {
      const auto adopted = adopt_packs(repository(), std::move(packs.unindexed),
                                       {.dead_locks = lock().dead_locks()});
      if (!adopted) return adopted.error();
    }
    return std::move(packs.lost);
  }
  Status save(RepositoryWriter& writer, std::vector<unsigned>& numbers) {
    std::vector<BlobId> content;
    const std::uint64_t count = 1 + below(6);
    for (std::uint64_t i = 0; i < count; ++i) {
      numbers.push_back(static_cast<unsigned>(below(kBlobs)));
      ASSIGN_OR_RETURN(const SavedBlob blob,
                       writer.save(BlobType::kData, as_bytes(content_of(numbers.back()))));
      content.push_back(blob.id);
    }
    const std::string tree = "{\"nodes\":[" + file_node("f", content, count * kBlobBytes) + "]}\n";
    ASSIGN_OR_RETURN(const SavedBlob root, writer.save(BlobType::kTree, as_bytes(tree)));
    RETURN_IF_ERROR(writer.flush());
    Snapshot snapshot;
    snapshot.time = wall_clock_now();
    snapshot.tree = root.id;
    snapshot.paths = {"/f"};
    snapshot.hostname = "host";
    const std::string json = write_snapshot(snapshot);
    ASSIGN_OR_RETURN(const std::string name,
                     repository().save_unpacked(FileType::kSnapshot, as_bytes(json), soon()));
    world_.ledger.lock()->saved[name] = numbers;
    return {};
  }
};

class PruneProgram final : public Program {
 public:
  using Program::Program;

 protected:
  Status work() override {
    const bool is_alone = below(4) == 0;
    RETURN_IF_ERROR(lock(is_alone));
    PruneOptions options;
    options.rules.max_unused = {.kind = UnusedLimit::Kind::kBytes};
    options.removes_young = is_alone;
    options.writer.pack_bytes = 3 * kBlobBytes;
    Pruner pruner(repository(), options);
    QuietPrune listener;
    RETURN_IF_ERROR(pruner.load_snapshots({}));
    RETURN_IF_ERROR(pruner.load_index());
    RETURN_IF_ERROR(pruner.mark_used());
    RETURN_IF_ERROR(pruner.make_plan());
    RETURN_IF_ERROR(pruner.copy(listener));
    if (!is_alone) {
      RETURN_IF_ERROR(lock(true));
      RETURN_IF_ERROR(pruner.look_again());
    }
    RETURN_IF_ERROR(pruner.remove(listener));
    if (!listener.left.empty() && !is_dead()) found("could not remove " + listener.left.front());
    return {};
  }
};

class ForgetProgram final : public Program {
 public:
  using Program::Program;

 protected:
  Status work() override {
    RETURN_IF_ERROR(lock(true));
    ASSIGN_OR_RETURN(const auto snapshots, repository().list_snapshots(soon()));
    if (snapshots.empty()) return {};
    const std::string name = snapshots[below(snapshots.size())].hex();
    world_.ledger.lock()->forgotten.insert(name);
    return repository().write_gate().remove({FileType::kSnapshot, name}, soon());
  }
};

// Reads without a lock, as a mount does: whatever is removed meanwhile, a snapshot that is there can
// be read.
class ReadProgram final : public Program {
 public:
  using Program::Program;

 protected:
  Status work() override {
    RETURN_IF_ERROR(repository().refresh_index(soon()));
    for (int round = 0; round < 3; ++round) {
      ASSIGN_OR_RETURN(const auto snapshots, repository().list_snapshots(soon()));
      if (snapshots.empty()) continue;
      const SnapshotId id = snapshots[below(snapshots.size())];
      const Status read = read_snapshot(id);
      if (!read && !is_forgotten(id.hex())) return read;
    }
    return {};
  }

 private:
  bool is_forgotten(const std::string& name) {
    auto ledger = world_.ledger.lock();
    return ledger->forgotten.contains(name);
  }
  Status read_snapshot(const SnapshotId& id) {
    ASSIGN_OR_RETURN(const Snapshot snapshot, repository().load_snapshot(id, soon()));
    ASSIGN_OR_RETURN(const SharedBlob blob,
                     repository().load(BlobType::kTree, snapshot.tree, soon()));
    ASSIGN_OR_RETURN(const auto tree, Tree::parse(blob->view()));
    for (const Node& node : tree->nodes()) {
      for (const BlobId& content : node.content) {
        RETURN_IF_ERROR(repository().load(BlobType::kData, content, soon()));
      }
    }
    return {};
  }
};

class Interleaved : public PrunedRepository, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  // Killed programs leave their locks, and say so.
  Interleaved() { log::set_level(log::Level::kError); }
  ~Interleaved() override { log::set_level(log::Level::kWarning); }

  std::unique_ptr<Program> any_program(const World& world, std::size_t number, bool is_first) {
    Program::Actor actor{
        .number = number, .pid = ++last_pid_, .seed = random_(), .requests = std::nullopt};
    world.living->lock()->insert(actor.pid);
    const std::uint64_t kind = is_first ? 0 : random_() % 8;
    if (kind == 7) return std::make_unique<ReadProgram>(world, actor);
    if (random_() % 5 == 0) actor.requests = 1 + random_() % 60;
    if (kind < 3) return std::make_unique<BackupProgram>(world, actor);
    if (kind < 5) return std::make_unique<PruneProgram>(world, actor);
    return std::make_unique<ForgetProgram>(world, actor);
  }
  // Some programs at once, until all have ended.
  void wave(bool is_first) {
    const std::size_t count = 2 + random_() % 4;
    Turns turns(random_(), count);
    auto living = std::make_shared<Guarded<std::set<std::uint32_t>>>();
    pictures_ = std::make_shared<PictureStorage>(shared());
    const World world{pictures_, turns, ledger_, living};
    std::vector<std::unique_ptr<Program>> programs;
    for (std::size_t i = 0; i < count; ++i) {
      programs.push_back(any_program(world, i, is_first));
    }
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        programs[i]->run();
        turns.end(i);
      });
    }
  }
  void expect_nothing_lost() {
    const Ledger ledger = *ledger_.lock();
    EXPECT_THAT(ledger.findings, ::testing::IsEmpty());
    const std::set<std::string> names = snapshot_names(*shared());
    for (const auto& [name, blobs] : ledger.saved) {
      if (ledger.forgotten.contains(name)) continue;
      EXPECT_TRUE(names.contains(name)) << name;
    }
    expect_whole(shared());
  }
  static std::set<std::string> snapshot_names(Storage& storage) {
    std::set<std::string> names;
    for (const ListedFile& file : value_of(storage.list(FileType::kSnapshot, soon()))) {
      names.insert(file.name);
    }
    return names;
  }
  // Each snapshot that is there is all there.
  void expect_whole(const std::shared_ptr<Storage>& storage) {
    const Ledger ledger = *ledger_.lock();
    EXPECT_EQ(damage_of(storage), "");
    const auto repository = open_at(storage);
    ASSERT_OK(repository->refresh_index(soon()));
    for (const std::string& name : snapshot_names(*storage)) {
      const auto saved = ledger.saved.find(name);
      if (saved != ledger.saved.end()) expect_content(*repository, saved->first, saved->second);
    }
  }
  void look_at_pictures() {
    constexpr int kPictures = 4;
    for (int i = 0; i < kPictures; ++i) {
      const std::size_t moment = random_() % pictures_->moments();
      const auto storage = std::make_shared<MemoryStorage>();
      go_back(*storage, pictures_->at(moment));
      SCOPED_TRACE("picture of moment " + std::to_string(moment));
      expect_whole(storage);
    }
  }
  static void expect_content(Repository& repository, const std::string& name,
                             const std::vector<unsigned>& numbers) {
    const Snapshot snapshot = value_of(repository.load_snapshot(*SnapshotId::parse(name), soon()));
    const auto blob = value_of(repository.load(BlobType::kTree, snapshot.tree, soon()));
    const auto tree = value_of(Tree::parse(blob->view()));
    std::string found;
    for (const BlobId& id : tree->nodes().front().content) {
      found += as_text(*value_of(repository.load(BlobType::kData, id, soon())));
    }
    std::string wanted;
    for (const unsigned number : numbers) wanted += content_of(number);
    EXPECT_TRUE(found == wanted) << name;
  }

  SplitMix64 random_{GetParam()};
  std::uint32_t last_pid_ = 1000;
  Guarded<Ledger> ledger_;
  std::shared_ptr<PictureStorage> pictures_;  // of the last wave
};

TEST_P(Interleaved, LosesNothing) {
  for (int i = 0; i < 4; ++i) {
    wave(i == 0);
    expect_nothing_lost();
    if (HasFailure()) return;
    look_at_pictures();
    if (HasFailure()) return;
  }
  // What killed programs have left is no hindrance, and nothing unused stays.
  for (const ListedFile& lock : files(FileType::kLock))
    memory_.remove({FileType::kLock, lock.name});
  options_.removes_young = true;
  EXPECT_OK(prune());
  expect_nothing_lost();
  std::set<unsigned> used;
  std::set<std::string> trees;
  const Ledger ledger = *ledger_.lock();
  for (const ListedFile& file : files(FileType::kSnapshot)) {
    const auto repository = memory_.open();
    const SnapshotId id = *SnapshotId::parse(file.name);
    trees.insert(value_of(repository->load_snapshot(id, soon())).tree.hex());
  }
  EXPECT_LE(blob_count(), kBlobs + trees.size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, Interleaved, ::testing::Range<std::uint64_t>(1, scaled(101, 21)));

}  // namespace
}  // namespace restree::testing
