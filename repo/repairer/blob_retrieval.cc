#include "repo/repairer/blob_retrieval.h"

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "repo/base/guarded.h"

namespace restree {
namespace {

constexpr std::size_t kBatch = 4096;

class Retriever {
 public:
  Retriever(Repository& repository, Repository& second, const RetrievalOptions& options)
      : repository_(repository),
        second_(second),
        options_(options),
        writer_(repository, options.writer, options.bulk.stop) {}

  Status walk(const std::vector<BlobId>& roots);
  Status fetch_data();
  Status flush() { return writer_.flush(); }
  void finish_early() { static_cast<void>(writer_.finish_early()); }
  Retrieval result() { return state_.lock()->result; }

 private:
  struct State {
    std::vector<BlobId> waiting;       // trees to be read
    std::unordered_set<BlobId> trees;  // that are read or waiting
    std::set<BlobId> data;             // missing here
    Retrieval result;
  };

  Deadline soon() const { return Deadline::after(options_.bulk.patience); }
  bool is_there(BlobType type, const BlobId& id) const { return writer_.has(type, id); }
  void add_tree(const BlobId& id);
  std::vector<BlobId> next_batch();
  Status look_at(const BlobId& id, const Result<ByteView>& blob);
  Status look_in_second(const BlobId& id, const Error& why);
  Status store(BlobType type, const BlobId& id, ByteView content);
  Status go_through(const BlobId& id, ByteView content);
  void note_lost(BlobType type, const BlobId& id, const Error& why);

  Repository& repository_;
  Repository& second_;
  const RetrievalOptions& options_;
  RepositoryWriter writer_;
  Guarded<State> state_;
};

void Retriever::add_tree(const BlobId& id) {
  auto state = state_.lock();
  if (!id.is_null() && state->trees.insert(id).second) state->waiting.push_back(id);
}

// The trees found last are read first (depth before breadth), so that few trees wait.
std::vector<BlobId> Retriever::next_batch() {
  auto state = state_.lock();
  const std::size_t count = std::min(kBatch, state->waiting.size());
  std::vector<BlobId> batch(state->waiting.end() - static_cast<std::ptrdiff_t>(count),
                            state->waiting.end());
  state->waiting.resize(state->waiting.size() - count);
  return batch;
}

void Retriever::note_lost(BlobType type, const BlobId& id, const Error& why) {
  ++state_.lock()->result.lost;
  if (options_.on_lost) options_.on_lost(type, id, why);
}

Status Retriever::store(BlobType type, const BlobId& id, ByteView content) {
  RETURN_IF_ERROR(writer_.save_again(type, id, content));
  auto state = state_.lock();
  ++state->result.retrieved;
  state->result.bytes += content.size();
  return {};
}

Status Retriever::go_through(const BlobId& id, ByteView content) {
  const auto tree = Tree::parse(content);
  if (!tree) {
    note_lost(BlobType::kTree, id, tree.error());
    return {};
  }
  if (const auto& stand_in = (*tree)->stand_in()) add_tree(*stand_in);
  for (const Node& node : (*tree)->nodes()) {
    if (node.type == NodeType::kDirectory && node.subtree) add_tree(*node.subtree);
  }
  const std::vector<BlobId> missing = missing_data(
      **tree, [this](BlobType type, const BlobId& blob) { return is_there(type, blob); });
  state_.lock()->data.insert(missing.begin(), missing.end());
  return {};
}

Status Retriever::look_in_second(const BlobId& id, const Error& why) {
  const auto found = second_.load(BlobType::kTree, id, soon());
  if (!found) {
    if (is_hopeless(found.error().kind())) return found.error();
    note_lost(BlobType::kTree, id, why);
    return {};
  }
  RETURN_IF_ERROR(store(BlobType::kTree, id, (*found)->view()));
  return go_through(id, (*found)->view());
}

Status Retriever::look_at(const BlobId& id, const Result<ByteView>& blob) {
  if (!blob) return look_in_second(id, blob.error());
  // One that only the cache of this machine has.
  if (!is_there(BlobType::kTree, id)) RETURN_IF_ERROR(store(BlobType::kTree, id, *blob));
  return go_through(id, *blob);
}

Status Retriever::walk(const std::vector<BlobId>& roots) {
  for (const BlobId& root : roots) add_tree(root);
  for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) {
    BulkLoader loader(repository_, BlobType::kTree, options_.bulk);
    for (const BlobId& id : batch) loader.want(id, 0);
    RETURN_IF_ERROR(loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) {
      return look_at(*uses[0].id, blob);
    }));
  }
  return {};
}

Status Retriever::fetch_data() {
  const std::set<BlobId> wanted = std::exchange(state_.lock()->data, {});
  BulkLoader loader(second_, BlobType::kData, options_.bulk);
  for (const BlobId& id : wanted) {
    if (second_.find_blob(BlobType::kData, id)) {
      loader.want(id, 0);
    } else {
      note_lost(BlobType::kData, id, Error(ErrorKind::kCorrupt, "the second repository lacks it"));
    }
  }
  return loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
    if (blob) return store(BlobType::kData, *uses[0].id, *blob);
    note_lost(BlobType::kData, *uses[0].id, blob.error());
    return {};
  });
}

}  // namespace

std::vector<BlobId> missing_data(const Tree& tree, const HasBlob& is_there) {
  std::vector<BlobId> missing;
  for (const Node& node : tree.nodes()) {
    if (node.type != NodeType::kFile) continue;
    for (const BlobId& id : node.content) {
      if (!id.is_null() && !is_there(BlobType::kData, id)) missing.push_back(id);
    }
  }
  return missing;
}

Result<Retrieval> retrieve_blobs(Repository& repository, Repository& second,
                                 const std::vector<BlobId>& roots,
                                 const RetrievalOptions& options) {
  Retriever retriever(repository, second, options);
  Status done = retriever.walk(roots);
  if (done) done = retriever.fetch_data();
  if (done) done = retriever.flush();
  if (!done) {
    retriever.finish_early();
    return done.error();
  }
  return retriever.result();
}

}  // namespace restree
