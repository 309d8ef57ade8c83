#include "repo/repairer/index_repair.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/format/index_file.h"
#include "repo/format/pack_header.h"
#include "repo/repairer/unindexed_packs.h"
#include "repo/writer/pending_index.h"

namespace restree {
namespace {

constexpr std::size_t kThreads = 8;

// The size of a pack that holds these blobs and nothing else.
std::uint64_t pack_bytes(std::span<const IndexedBlob> blobs) {
  std::uint64_t end = 0;
  std::uint64_t header = kPackOverheadBytes;
  for (const IndexedBlob& blob : blobs) {
    end = std::max<std::uint64_t>(end, std::uint64_t{blob.offset} + blob.length);
    header += pack_header_entry_bytes(blob);
  }
  return end + header;
}

class IndexRepairer {
 public:
  IndexRepairer(Repository& repository, const IndexRepairOptions& options)
      : repository_(repository), options_(options), index_(repository) {}

  Result<IndexRepair> run();

 private:
  // What the index files say of a pack, and what the storage does.
  struct Pack {
    std::optional<std::uint64_t> stored_bytes;
    std::uint64_t indexed_bytes = 0;  // by the file that gives it most blobs; 0: by none
    bool is_read = false;             // its header is what counts
    bool is_kept = false;             // a new index file has it as an old one had it
  };
  using Visitor = std::function<Status(const PackId& pack, std::span<const IndexedBlob> blobs)>;

  Deadline patience() const { return Deadline::after(options_.patience); }
  Status go_on() const;
  Status visit(const std::string& file, const Visitor& visitor);
  Status read_index_files();
  Status list_packs();
  Status measure(std::vector<StoredPack>& packs);
  std::vector<StoredPack> packs_to_read();
  Status read_headers(const std::vector<StoredPack>& packs);
  Status read_header(const StoredPack& pack);
  bool is_out_of_date(const Pack& pack) const { return pack.is_read || !pack.stored_bytes; }
  Status find_old_files();
  Status keep_what_is_right(const std::string& file);
  Status remove_old_files();

  Repository& repository_;
  const IndexRepairOptions& options_;
  PendingIndex index_;
  std::vector<std::string> files_;  // index files that can be read
  std::set<std::string> old_;       // index files to be removed
  std::unordered_map<PackId, Pack> packs_;
  Guarded<std::unordered_set<PackId>> unreadable_;
  std::atomic<std::size_t> headers_ = 0;
  IndexRepair repair_;
};

Status IndexRepairer::go_on() const {
  if (!options_.stop.stop_requested()) return {};
  return Error(ErrorKind::kCancelled, "interrupted while repairing the index");
}

Status IndexRepairer::visit(const std::string& file, const Visitor& visitor) {
  RETURN_IF_ERROR(go_on());
  ASSIGN_OR_RETURN(const Bytes json,
                   repository_.load_unpacked({FileType::kIndex, file}, patience()));
  Status status;
  RETURN_IF_ERROR(parse_index_file(json, [&](const PackId& pack, auto blobs) {
    if (status && !blobs.empty()) status = visitor(pack, blobs);
  }));
  return status;
}

Status IndexRepairer::read_index_files() {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> listed,
                   repository_.list_files(FileType::kIndex, patience()));
  for (const ListedFile& file : listed) {
    // A file may prove damaged after its first packs, and what it says does not count then.
    std::unordered_map<PackId, std::uint64_t> named;
    const Status read = visit(file.name, [&](const PackId& id, auto blobs) -> Status {
      std::uint64_t& bytes = named[id];
      bytes = std::max(bytes, pack_bytes(blobs));
      return {};
    });
    if (read) {
      for (const auto& [id, bytes] : named) {
        Pack& pack = packs_[id];
        pack.indexed_bytes = std::max(pack.indexed_bytes, bytes);
      }
      files_.push_back(file.name);
      if (options_.read_all_packs) old_.insert(file.name);
      continue;
    }
    // Only what is certainly damaged may be removed; any other trouble may be over tomorrow.
    if (read.error().kind() != ErrorKind::kCorrupt) return read;
    if (options_.on_damaged_index) options_.on_damaged_index(file.name, read.error());
    old_.insert(file.name);
  }
  return {};
}

// Some servers give no sizes in a listing.
Status IndexRepairer::measure(std::vector<StoredPack>& packs) {
  if (have_sizes(packs)) return {};
  return parallel_for(packs.size(), kThreads, [&](std::size_t i) -> Status {
    RETURN_IF_ERROR(go_on());
    ASSIGN_OR_RETURN(packs[i].size_bytes,
                     repository_.storage().size({FileType::kPack, packs[i].id.hex()}, patience()));
    return {};
  });
}

Status IndexRepairer::list_packs() {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> listed,
                   repository_.list_files(FileType::kPack, patience()));
  std::vector<StoredPack> stored = packs_in(listed);
  RETURN_IF_ERROR(measure(stored));
  for (const StoredPack& pack : stored) packs_[pack.id].stored_bytes = pack.size_bytes;
  return {};
}

std::vector<StoredPack> IndexRepairer::packs_to_read() {
  std::vector<StoredPack> wanted;
  for (auto& [id, pack] : packs_) {
    if (!pack.stored_bytes) {
      ++repair_.packs_missing;
      if (options_.on_missing_pack) options_.on_missing_pack(id);
    } else if (options_.read_all_packs || pack.indexed_bytes != *pack.stored_bytes) {
      pack.is_read = true;
      wanted.push_back({id, *pack.stored_bytes});
      if (options_.on_read) options_.on_read(id, *pack.stored_bytes, pack.indexed_bytes);
    }
  }
  std::ranges::sort(wanted, {}, &StoredPack::id);
  return wanted;
}

Status IndexRepairer::read_header(const StoredPack& pack) {
  RETURN_IF_ERROR(go_on());
  auto blobs = load_pack_header(repository_, pack, patience());
  if (blobs) {
    if (!blobs->empty()) RETURN_IF_ERROR(index_.add({pack.id, std::move(*blobs)}, patience()));
  } else {
    const ErrorKind kind = blobs.error().kind();
    if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled) return blobs.error();
    if (options_.on_unreadable_pack) options_.on_unreadable_pack(pack.id, blobs.error());
    unreadable_.lock()->insert(pack.id);
  }
  return {};
}

Status IndexRepairer::read_headers(const std::vector<StoredPack>& packs) {
  return parallel_for(packs.size(), kThreads, [&](std::size_t i) -> Status {
    RETURN_IF_ERROR(read_header(packs[i]));
    const std::size_t read = ++headers_;
    if (options_.on_progress) options_.on_progress(read, packs.size());
    return {};
  });
}

// Those that name a pack which is not as they say.
Status IndexRepairer::find_old_files() {
  for (const std::string& file : files_) {
    RETURN_IF_ERROR(visit(file, [&](const PackId& id, auto) -> Status {
      if (is_out_of_date(packs_.at(id))) old_.insert(file);
      return {};
    }));
  }
  return {};
}

// Of a pack whose header cannot be read, the blobs that its bytes still reach stay in the index: a
// mount can read them, and `repair packs` can save them.
Status IndexRepairer::keep_what_is_right(const std::string& file) {
  return visit(file, [&](const PackId& id, std::span<const IndexedBlob> blobs) -> Status {
    Pack& pack = packs_.at(id);
    if (!pack.stored_bytes) return {};
    std::vector<IndexedBlob> kept(blobs.begin(), blobs.end());
    if (pack.is_read) {
      if (!unreadable_.lock()->contains(id)) return {};
      std::erase_if(kept, [&](const IndexedBlob& blob) {
        return std::uint64_t{blob.offset} + blob.length > *pack.stored_bytes;
      });
      if (kept.empty()) return {};
    } else {
      // Of several files that name it, one names all of it.
      if (pack_bytes(blobs) != *pack.stored_bytes || std::exchange(pack.is_kept, true)) return {};
    }
    return index_.add({id, std::move(kept)}, patience());
  });
}

Status IndexRepairer::remove_old_files() {
  for (const std::string& file : old_) {
    RETURN_IF_ERROR(go_on());
    const Status removed = repository_.storage().remove({FileType::kIndex, file}, patience());
    if (!removed && removed.error().kind() != ErrorKind::kNotFound) {
      Error error = removed.error();
      return std::move(error).with(fmt::format("remove the old index file {}", file));
    }
    ++repair_.index_files_removed;
  }
  return {};
}

Result<IndexRepair> IndexRepairer::run() {
  RETURN_IF_ERROR(read_index_files());
  RETURN_IF_ERROR(list_packs());
  const std::vector<StoredPack> wanted = packs_to_read();
  RETURN_IF_ERROR(read_headers(wanted));
  RETURN_IF_ERROR(find_old_files());
  for (const std::string& file : files_) {
    if (old_.contains(file)) RETURN_IF_ERROR(keep_what_is_right(file));
  }
  RETURN_IF_ERROR(index_.save(patience()));
  RETURN_IF_ERROR(remove_old_files());
  repair_.packs_unreadable = unreadable_.lock()->size();
  repair_.packs_read = wanted.size() - repair_.packs_unreadable;
  return repair_;
}

}  // namespace

Result<IndexRepair> repair_index(Repository& repository, const IndexRepairOptions& options) {
  return IndexRepairer(repository, options).run();
}

}  // namespace restree
