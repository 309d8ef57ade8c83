#include "repo/rewriter/tree_rules.h"

#include <utility>
#include <vector>

namespace restree {

JudgedNode ExcludeRules::judge(const NodeText& /*node*/, const std::string& path) const {
  if (!excluded_.matches(path)) return {};
  return {.stays = false, .remark = NodeRemark::kExcluded};
}

JudgedNode IncludeRules::judge(const NodeText& node, const std::string& path) const {
  if (node.is_folder()) return {};  // something in it may match
  const PathPatterns::Verdict verdict = included_.match_with_below(path);
  // As restic; with a `!` the second may be false.
  if (verdict.matched && verdict.below_may_match) return {.remark = NodeRemark::kIncluded};
  return {.stays = false};
}

JudgedNode IncludeRules::judge_empty(const std::string& path) const {
  if (!included_.matches(path)) return {.stays = false};
  return {.remark = NodeRemark::kIncludedFolder};
}

JudgedNode RepairRules::judge(const NodeText& node, const std::string& /*path*/) const {
  if (node.name.empty()) return {.stays = false, .remark = NodeRemark::kInvalidName};
  if (node.type.empty() || node.type == "irregular") {
    return {.stays = false, .remark = NodeRemark::kInvalidType};
  }
  if (!node.is_file()) return {};
  const NodeContent content = content_of(node);
  std::vector<BlobId> there;
  std::uint64_t size = 0;
  for (const std::optional<BlobId>& id : content.ids) {
    const std::optional<std::uint32_t> length = id ? size_of_(*id) : std::nullopt;
    if (!length) continue;
    there.push_back(*id);
    size += *length;
  }
  NodeRemark remark = NodeRemark::kNone;
  if (there.size() < content.ids.size()) {
    remark = NodeRemark::kContentCut;
  } else if (size != node.size) {
    remark = NodeRemark::kSizeFixed;
  } else if (content.is_list) {
    return {};
  }
  return {.json = with_content(node, there, size), .remark = remark};
}

}  // namespace restree
