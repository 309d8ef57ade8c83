#include "repo/repairer/pack_repair.h"

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/bulk/bulk_load.h"
#include "repo/format/index_file.h"
#include "repo/repairer/pack_copy.h"
#include "repo/repairer/unindexed_packs.h"
#include "repo/system/file_io.h"
#include "repo/writer/pending_index.h"

namespace restree {
namespace {

constexpr std::size_t kMostThreads = 8;

struct ByPlace {
  bool operator()(const IndexedBlob& a, const IndexedBlob& b) const {
    return std::tie(a.offset, a.length, a.type, a.id) < std::tie(b.offset, b.length, b.type, b.id);
  }
};
using Blobs = std::set<IndexedBlob, ByPlace>;
using BlobKey = std::pair<BlobType, BlobId>;

class PackRepairer {
 public:
  PackRepairer(Repository& repository, const std::set<PackId>& packs,
               const PackRepairOptions& options)
      : repository_(repository),
        options_(options),
        packs_(packs),
        writer_(repository, options.writer, options.stop) {}

  Result<PackRepair> run();

 private:
  using Visitor = std::function<void(const PackId& pack, std::span<const IndexedBlob> blobs)>;

  Deadline patience() const { return Deadline::after(options_.patience); }
  Status go_on() const;
  void begin(PackRepairStep step, std::size_t total) const {
    if (options_.on_begin) options_.on_begin(step, total);
  }
  void end(PackRepairStep step, std::size_t total) const {
    if (options_.on_end) options_.on_end(step, total);
  }
  Status visit(const std::string& file, const Visitor& visitor);
  Status measure();
  Status read_index_files();
  Status save_copies();
  Status salvage();
  Status add_header(const StoredPack& pack, Blobs& blobs);
  Status salvage_blob(const PackId& pack, int copy, const IndexedBlob& blob);
  Status save_from_copy(const PackId& pack, int copy, const IndexedBlob& blob, bool& is_whole);
  Status write_index();
  Status remove_index_files();
  Status remove_packs();

  Repository& repository_;
  const PackRepairOptions& options_;
  const std::set<PackId>& packs_;
  RepositoryWriter writer_;
  std::vector<StoredPack> stored_;
  std::map<PackId, UniqueFd> copies_;
  std::map<PackId, Blobs> indexed_;  // by the index, of the packs in question
  std::vector<std::string> old_;     // the index files that name any of them
  // Two damaged packs may hold the same blob: what the one has lost, the other may have.
  struct Salvage {
    std::set<BlobKey> saved;
    std::set<BlobKey> retrieved;  // of these, from the second repository
    std::map<BlobKey, Error> lost;
  };
  Guarded<Salvage> salvage_;
  std::size_t index_files_removed_ = 0;
};

Status PackRepairer::go_on() const {
  if (!options_.stop.stop_requested()) return {};
  return Error(ErrorKind::kCancelled, "interrupted while repairing packs");
}

Status PackRepairer::visit(const std::string& file, const Visitor& visitor) {
  RETURN_IF_ERROR(go_on());
  auto json = repository_.load_unpacked({FileType::kIndex, file}, patience());
  Status parsed = json ? parse_index_file(*json, visitor) : Status(json.error());
  if (parsed || parsed.error().kind() != ErrorKind::kCorrupt) return parsed;
  return std::move(parsed)
      .error()
      .with("index file " + file + " cannot be read")
      .hinting("Nothing was changed. Run `restree repair index` first.");
}

// All of them are there before the first copy is made.
Status PackRepairer::measure() {
  for (const PackId& id : packs_) {
    auto size = repository_.storage().size({FileType::kPack, id.hex()}, patience());
    if (!size && size.error().kind() == ErrorKind::kNotFound) {
      return std::move(size).error().hinting(
          "Nothing was changed. `restree repair index` takes packs that are missing out of the "
          "index.");
    }
    RETURN_IF_ERROR(size);
    stored_.push_back({id, *size});
  }
  return {};
}

Status PackRepairer::read_index_files() {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> listed,
                   repository_.list_files(FileType::kIndex, patience()));
  for (const ListedFile& file : listed) {
    bool is_old = false;
    RETURN_IF_ERROR(visit(file.name, [&](const PackId& id, std::span<const IndexedBlob> blobs) {
      if (!packs_.contains(id)) return;
      is_old = true;
      indexed_[id].insert(blobs.begin(), blobs.end());
    }));
    if (is_old) old_.push_back(file.name);
  }
  return {};
}

Status PackRepairer::save_copies() {
  const PackCopyOptions options{.folder = options_.folder,
                                .is_nameless = options_.copies_are_temporary,
                                .patience = options_.patience,
                                .stop = options_.stop,
                                .on_unread = options_.on_unread};
  begin(PackRepairStep::kSavingCopies, stored_.size());
  for (const StoredPack& pack : stored_) {
    ASSIGN_OR_RETURN(copies_[pack.id], save_pack_copy(repository_, pack, options));
  }
  end(PackRepairStep::kSavingCopies, stored_.size());
  return {};
}

// A header that cannot be read says nothing, as the index may know the blobs.
Status PackRepairer::add_header(const StoredPack& pack, Blobs& blobs) {
  const auto header = load_pack_header(repository_, pack, patience());
  if (!header) {
    const bool is_damaged = header.error().kind() == ErrorKind::kCorrupt ||
                            header.error().kind() == ErrorKind::kUnsupported;
    return is_damaged ? Status() : Status(header.error());
  }
  const Blobs named(header->begin(), header->end());
  const bool is_complete =
      std::ranges::equal(named, blobs, [](const IndexedBlob& a, const IndexedBlob& b) {
        return !ByPlace()(a, b) && !ByPlace()(b, a) && a.raw_length == b.raw_length;
      });
  if (is_complete) return {};
  if (options_.on_incomplete_index) options_.on_incomplete_index(pack.id);
  blobs.insert(named.begin(), named.end());
  return {};
}

Status PackRepairer::salvage() {
  begin(PackRepairStep::kSalvaging, stored_.size());
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  for (const StoredPack& pack : stored_) {
    Blobs& blobs = indexed_[pack.id];
    RETURN_IF_ERROR(add_header(pack, blobs));
    const std::vector<IndexedBlob> all(blobs.begin(), blobs.end());
    if (all.empty() && options_.on_empty) options_.on_empty(pack.id);
    const int copy = copies_.at(pack.id).get();
    const auto salvage_one = [&](std::size_t i) -> Status {
      RETURN_IF_ERROR(go_on());
      return salvage_blob(pack.id, copy, all[i]);
    };
    RETURN_IF_ERROR(parallel_for(all.size(), std::min(processors, kMostThreads), salvage_one));
  }
  RETURN_IF_ERROR(writer_.flush());
  end(PackRepairStep::kSalvaging, stored_.size());
  if (!options_.on_lost) return {};
  const std::map<BlobKey, Error> lost = salvage_.lock()->lost;
  for (const auto& [key, why] : lost) options_.on_lost(key.second, why);
  return {};
}

Status PackRepairer::save_from_copy(const PackId& pack, int copy, const IndexedBlob& blob,
                                    bool& is_whole) {
  Bytes sealed(blob.length);
  if (!read_at(copy, blob.offset, sealed.view()).is_all_of(sealed.view())) return {};
  Bytes opened(blob.length);
  std::ranges::copy(sealed.view(), opened.view().begin());
  Bytes scratch;
  const BlobLocation place{
      .pack = pack, .offset = blob.offset, .length = blob.length, .raw_length = blob.raw_length};
  if (!repository_.open_blob(place, blob.type, blob.id, opened.view(), scratch)) return {};
  is_whole = true;
  RETURN_IF_ERROR(writer_.save_sealed(blob, sealed.view()));
  return {};
}

Status PackRepairer::salvage_blob(const PackId& pack, int copy, const IndexedBlob& blob) {
  const BlobKey key(blob.type, blob.id);
  if (salvage_.lock()->saved.contains(key)) return {};
  bool is_whole = false;
  RETURN_IF_ERROR(save_from_copy(pack, copy, blob, is_whole));
  bool is_retrieved = false;
  if (!is_whole) {
    Result<SharedBlob> loaded = repository_.load(blob.type, blob.id, patience());
    if (!loaded && !is_hopeless(loaded.error().kind()) && options_.second != nullptr) {
      Result<SharedBlob> second = options_.second->load(blob.type, blob.id, patience());
      is_retrieved = second.has_value();
      if (second || is_hopeless(second.error().kind())) loaded = std::move(second);
    }
    if (!loaded) {
      if (is_hopeless(loaded.error().kind())) return loaded.error();
      salvage_.lock()->lost.emplace(key, loaded.error());
      return {};
    }
    RETURN_IF_ERROR(writer_.save_again(blob.type, blob.id, (*loaded)->view()));
  }
  auto salvage = salvage_.lock();
  if (is_retrieved) salvage->retrieved.insert(key);
  salvage->saved.insert(key);
  salvage->lost.erase(key);
  return {};
}

// The new files name what the old ones name, apart from the packs.
Status PackRepairer::write_index() {
  PendingIndex index(repository_);
  begin(PackRepairStep::kWritingIndex, old_.size());
  for (const std::string& file : old_) {
    Status added;
    RETURN_IF_ERROR(visit(file, [&](const PackId& id, std::span<const IndexedBlob> blobs) {
      if (!added || blobs.empty() || packs_.contains(id)) return;
      added = index.add({id, {blobs.begin(), blobs.end()}}, patience());
    }));
    RETURN_IF_ERROR(added);
  }
  RETURN_IF_ERROR(index.save(patience()));
  end(PackRepairStep::kWritingIndex, old_.size());
  return {};
}

Status PackRepairer::remove_index_files() {
  begin(PackRepairStep::kRemovingIndexes, old_.size());
  for (const std::string& file : old_) {
    RETURN_IF_ERROR(go_on());
    Status removed = repository_.storage().remove({FileType::kIndex, file}, patience());
    if (!removed && removed.error().kind() != ErrorKind::kNotFound) {
      return std::move(removed)
          .error()
          .with("remove the old index file " + file)
          .hinting("No pack was removed. Run it again once files can be removed.");
    }
    ++index_files_removed_;
  }
  end(PackRepairStep::kRemovingIndexes, old_.size());
  return {};
}

Status PackRepairer::remove_packs() {
  begin(PackRepairStep::kRemovingPacks, stored_.size());
  for (const StoredPack& pack : stored_) {
    RETURN_IF_ERROR(go_on());
    const Status removed =
        repository_.storage().remove({FileType::kPack, pack.id.hex()}, patience());
    if (removed || removed.error().kind() == ErrorKind::kNotFound) continue;
    if (removed.error().kind() == ErrorKind::kLocked) return removed;
    if (options_.on_not_removed) options_.on_not_removed(pack.id, removed.error());
  }
  end(PackRepairStep::kRemovingPacks, stored_.size());
  return {};
}

Result<PackRepair> PackRepairer::run() {
  RETURN_IF_ERROR(measure());
  RETURN_IF_ERROR(read_index_files());
  RETURN_IF_ERROR(save_copies());
  if (const Status salvaged = salvage(); !salvaged) {
    // The next run need not store again what was stored.
    static_cast<void>(writer_.finish_early());
    return salvaged.error();
  }
  RETURN_IF_ERROR(write_index());
  RETURN_IF_ERROR(remove_index_files());
  RETURN_IF_ERROR(remove_packs());
  auto salvage = salvage_.lock();
  return PackRepair{.blobs_saved = salvage->saved.size(),
                    .blobs_retrieved = salvage->retrieved.size(),
                    .blobs_lost = salvage->lost.size(),
                    .index_files_removed = index_files_removed_};
}

}  // namespace

Result<PackRepair> repair_packs(Repository& repository, const std::set<PackId>& packs,
                                const PackRepairOptions& options) {
  return PackRepairer(repository, packs, options).run();
}

}  // namespace restree
