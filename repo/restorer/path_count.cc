#include "repo/restorer/path_count.h"

#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/tree_loading.h"

namespace restree {

Result<double> count_paths_below(Repository& repository, std::map<BlobId, double> places,
                                 double most, const BulkOptions& bulk) {
  struct Counted {
    double paths = 0;
    std::map<BlobId, double> below;
  };
  double paths = 0;
  while (!places.empty() && paths <= most) {
    const std::vector<std::pair<BlobId, double>> level(places.begin(), places.end());
    BulkLoader loader(repository, BlobType::kTree, bulk);
    for (std::uint32_t i = 0; i < level.size(); ++i) loader.want(level[i].first, i);
    Guarded<Counted> counted;
    const auto count = [&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
      const auto& [id, times] = level[uses[0].tag];
      const Result<SharedTree> tree =
          blob ? parse_tree(id, *blob) : Result<SharedTree>(blob.error());
      if (!tree) return {};
      auto sum = counted.lock();
      sum->paths += times * static_cast<double>((*tree)->nodes().size());
      for (const Node& node : (*tree)->nodes()) {
        if (node.type == NodeType::kDirectory && node.subtree) sum->below[*node.subtree] += times;
      }
      return {};
    };
    RETURN_IF_ERROR(loader.run(count));
    paths += counted.lock()->paths;
    places = std::move(counted.lock()->below);
  }
  return paths;
}

}  // namespace restree
