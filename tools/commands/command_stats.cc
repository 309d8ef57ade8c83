// restree stats
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>

#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/link_identity.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/trees/tree_walk.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/index_option.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct StatsOptions {
  std::vector<std::string> words;
  SnapshotOptions selection;
  std::string mode = "restore-size";
  IndexOption index;
};

struct Figures {
  std::uint64_t total_size = 0;
  std::uint64_t uncompressed_size = 0;            // of all blobs, if they were not compressed
  std::uint64_t compressed_blobs_size = 0;        // of those that are
  std::uint64_t compressed_blobs_plain_size = 0;  // of those, if they were not
  std::uint64_t files = 0;
  std::uint64_t blobs = 0;
  std::uint64_t snapshots = 0;

  double ratio() const {
    if (compressed_blobs_size == 0) return 0;
    return static_cast<double>(compressed_blobs_plain_size) /
           static_cast<double>(compressed_blobs_size);
  }
  double progress() const {
    if (uncompressed_size == 0) return 0;
    return static_cast<double>(compressed_blobs_plain_size) /
           static_cast<double>(uncompressed_size) * 100;
  }
  double space_saving() const {
    if (uncompressed_size == 0) return 0;
    return (1 - static_cast<double>(total_size) / static_cast<double>(uncompressed_size)) * 100;
  }
};

// One way to count, over one snapshot after the other.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void begin_snapshot(const BlobId& root) { static_cast<void>(root); }
  virtual Result<Descend> count(const std::string& path, const Node& node, Figures& figures) = 0;
  virtual Status finish(Figures& figures) {
    static_cast<void>(figures);
    return {};
  }
  // False: the tree is known already.
  virtual bool wants(const BlobId& tree) const {
    static_cast<void>(tree);
    return true;
  }
};

// What a restore would write: hard links once for each snapshot.
class RestoreSize final : public Counter {
 public:
  void begin_snapshot(const BlobId&) override { links_.clear(); }
  Result<Descend> count(const std::string&, const Node& node, Figures& figures) override {
    ++figures.files;
    const auto identity = LinkIdentity::of(node);
    if (!identity || links_.insert(*identity).second) figures.total_size += node.size;
    return Descend::kYes;
  }

 private:
  std::set<LinkIdentity> links_;
};

Sha256Digest content_id(const Node& node) { return sha256(std::as_bytes(node.content)); }

class FilesByContents final : public Counter {
 public:
  Result<Descend> count(const std::string&, const Node& node, Figures& figures) override {
    if (seen_.insert(content_id(node)).second) {
      figures.total_size += node.size;
      ++figures.files;
    }
    return Descend::kYes;
  }

 private:
  std::set<Sha256Digest> seen_;
};

class BlobsPerFile final : public Counter {
 public:
  explicit BlobsPerFile(const Repository& repository) : repository_(repository) {}

  Result<Descend> count(const std::string& path, const Node& node, Figures& figures) override {
    if (!seen_.insert(content_id(node)).second) return Descend::kYes;
    for (const BlobId& id : node.content) {
      const auto [file, is_new_file] = files_.try_emplace(path);
      if (is_new_file) ++figures.files;
      if (!file->second.insert(id).second) continue;
      const auto size = repository_.blob_size(BlobType::kData, id);
      if (!size) {
        return Error(ErrorKind::kCorrupt, fmt::format("{}: blob {} is in no index", path, id.hex()))
            .hinting("restree check tells what else is missing.");
      }
      figures.total_size += *size;
      ++figures.blobs;
    }
    return Descend::kYes;
  }

 private:
  const Repository& repository_;
  std::set<Sha256Digest> seen_;
  std::map<std::string, std::set<BlobId>> files_;
};

// What the snapshots' blobs take in packs, each once.
class RawData final : public Counter {
 public:
  explicit RawData(const Repository& repository) : repository_(repository) {}

  bool wants(const BlobId& tree) const override { return !trees_.contains(tree); }
  void begin_snapshot(const BlobId& root) override { trees_.insert(root); }
  Result<Descend> count(const std::string&, const Node& node, Figures&) override {
    data_.insert(node.content.begin(), node.content.end());
    const bool is_new = node.subtree && trees_.insert(*node.subtree).second;
    return is_new ? Descend::kYes : Descend::kNo;
  }
  Status finish(Figures& figures) override {
    for (const BlobId& id : data_) RETURN_IF_ERROR(add(BlobType::kData, id, figures));
    for (const BlobId& id : trees_) RETURN_IF_ERROR(add(BlobType::kTree, id, figures));
    return {};
  }

 private:
  Status add(BlobType type, const BlobId& id, Figures& figures) const {
    const auto place = repository_.find_blob(type, id);
    if (!place) {
      return Error(ErrorKind::kCorrupt,
                   fmt::format("{} blob {} is in no index", to_string(type), id.hex()))
          .hinting("restree check tells what else is missing.");
    }
    ++figures.blobs;
    figures.total_size += place->length;
    if (repository_.config().version < 2) return {};
    const std::uint64_t plain = place->blob_bytes() + kSealOverheadBytes;
    figures.uncompressed_size += plain;
    if (place->raw_length != 0) {
      figures.compressed_blobs_size += place->length;
      figures.compressed_blobs_plain_size += plain;
    }
    return {};
  }

  const Repository& repository_;
  std::unordered_set<BlobId> data_;
  std::unordered_set<BlobId> trees_;
};

std::unique_ptr<Counter> make_counter(const std::string& mode, const Repository& repository) {
  if (mode == "files-by-contents") return std::make_unique<FilesByContents>();
  if (mode == "blobs-per-file") return std::make_unique<BlobsPerFile>(repository);
  if (mode == "raw-data") return std::make_unique<RawData>(repository);
  return std::make_unique<RestoreSize>();
}

std::string json_of(const Figures& figures) {
  JsonWriter json;
  const auto number = [&](std::string_view key, std::uint64_t value) {
    if (value != 0) json.key(key).number(value);
  };
  const auto decimal = [&](std::string_view key, double value) {
    if (value != 0) json.key(key).real(value);
  };
  json.begin_object().key("total_size").number(figures.total_size);
  number("total_uncompressed_size", figures.uncompressed_size);
  decimal("compression_ratio", figures.ratio());
  decimal("compression_progress", figures.progress());
  decimal("compression_space_saving", figures.space_saving());
  number("total_file_count", figures.files);
  number("total_blob_count", figures.blobs);
  json.key("snapshots_count").number(figures.snapshots).end_object();
  return json.json() + "\n";
}

std::string text_of(const Figures& figures, const std::string& mode) {
  std::string text =
      fmt::format("Stats in {} mode:\n     Snapshots processed:  {}\n", mode, figures.snapshots);
  if (figures.blobs > 0) text += fmt::format("        Total Blob Count:  {}\n", figures.blobs);
  if (figures.files > 0) text += fmt::format("        Total File Count:  {}\n", figures.files);
  if (figures.uncompressed_size > 0) {
    text +=
        fmt::format(" Total Uncompressed Size:  {:<5}\n", format_bytes(figures.uncompressed_size));
  }
  text += fmt::format("              Total Size:  {:<5}\n", format_bytes(figures.total_size));
  if (figures.progress() > 0) {
    text += fmt::format("    Compression Progress:  {:.2f}%\n", figures.progress());
  }
  if (figures.ratio() > 0) {
    text += fmt::format("       Compression Ratio:  {:.2f}x\n", figures.ratio());
  }
  if (figures.space_saving() > 0) {
    text += fmt::format("Compression Space Saving:  {:.2f}%\n", figures.space_saving());
  }
  return text;
}

Result<ExitCode> run_stats(const StatsOptions& options, Session& session) {
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(Locking::kShared));
  session.output().say_even_if_quiet("scanning...");
  ASSIGN_OR_RETURN(const JudgedSnapshots judged,
                   select_to_judge(session, *repository, options.words, options.selection));
  for (const auto& [word, why] : judged.missed) say_ignored(session)(word, why);
  const std::unique_ptr<Counter> counter = make_counter(options.mode, *repository);
  Figures figures;
  TreesAhead trees(*repository, session.trees_ahead());
  for (const Snapshot& snapshot : judged.found) {
    ++figures.snapshots;
    if (!counter->wants(snapshot.tree)) continue;
    counter->begin_snapshot(snapshot.tree);
    RETURN_IF_ERROR(walk_tree(
        trees, snapshot.tree,
        {.node = [&](const BlobId&, const std::string& path,
                     const Node& node) { return counter->count(path, node, figures); },
         .expects = [&](const std::string&,
                        const Node& folder) { return counter->wants(*folder.subtree); }}));
  }
  RETURN_IF_ERROR(counter->finish(figures));
  session.io().out(session.output().is_json() ? json_of(figures) : text_of(figures, options.mode));
  const bool is_whole = std::all_of(judged.missed.begin(), judged.missed.end(),
                                    [](const auto& one) { return one.word == "filters"; });
  if (!is_whole) {
    return Error(ErrorKind::kInvalid, "the figures lack the snapshots that were ignored")
        .hinting("restree snapshots lists what can be named; restree check looks for damage.");
  }
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_stats(CommandSyntax& app) {
  const auto options = std::make_shared<StatsOptions>();
  add_arguments(app, "snapshot", options->words, "Only these: ids, their beginnings, or latest");
  add_snapshot_options(app, options->selection);
  add_choice(app, "--mode", options->mode, "counting mode",
             {"restore-size", "files-by-contents", "blobs-per-file", "raw-data"},
             "What to count: what a restore writes (the default), files of different content, "
             "their blobs, or what lies in packs");
  add_index_option(app, options->index);
  return [options](Session& session) { return run_stats(*options, session); };
}

}  // namespace restree
