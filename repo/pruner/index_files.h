// The index files of a repository, and which packs each of them names: for programs that take packs
// out of the index.
//
// Threads: as IndexWatch while the index is loaded; one afterwards.
// Limits:  36 bytes for each pack in each file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/index/whole_index.h"
#include "repo/repository.h"
#include "repo/repository_index.h"

namespace restree {

// What one index file names.
struct IndexFileContent {
  std::vector<PackId> packs;
  std::size_t blobs = 0;
};
using IndexFileContents = std::map<std::string, IndexFileContent>;

class IndexFiles final : public IndexWatch {
 public:
  // `known`: those that have been read before; it must outlive this.
  explicit IndexFiles(const IndexFileContents& known) : known_(known) {}

  // Called while index files are being read.
  void pack(const std::string& file, const PackId& pack,
            std::span<const IndexedBlob> blobs) override;
  void damaged(const std::string& file, const Error& error) override;
  bool knows(const std::string& file) const override { return known_.contains(file); }

  // Once all are read. kCorrupt: one of them is damaged.
  Result<IndexFileContents> take();

 private:
  struct Read {
    IndexFileContents files;
    std::map<std::string, std::string> damaged;  // with the reason
  };
  const IndexFileContents& known_;
  Guarded<Read> read_;
};

// Reads an index file that was loaded without being watched. kUnavailable: it names a pack, or
// blobs of one, that the index lacks: it is newer than the index.
Result<IndexFileContent> read_index_file(Repository& repository, const std::string& name,
                                         const WholeIndex& index, Deadline by);

struct IndexRewrite {
  std::vector<std::string> files;    // to be replaced
  std::vector<std::uint32_t> packs;  // that the new ones name, by their numbers in the index
};

// Plans index files without the packs that `stays` does not hold for. Replaced are the files that
// name such a pack, and with them those that are better put together: that are not full, that are
// too large, or that name a pack which another one names as well. Of such a pack the new files have
// every blob that any of the old ones has. A file that names a pack which the index lacks stays as
// it is. Pure.
IndexRewrite plan_index_rewrite(const IndexFileContents& files, const WholeIndex& index,
                                const std::vector<bool>& stays);

// The same in steps of one file each, which are done one after the other: the new files of a step are
// written, then its old one goes. Replaced are only the files that name a pack which does not stay.
std::vector<IndexRewrite> plan_index_steps(const IndexFileContents& files, const WholeIndex& index,
                                           const std::vector<bool>& stays);

// Writes the packs into new index files through `save`, each as full as one may be. The first error
// of `save` ends it.
Status write_packs(const WholeIndex& index, const std::vector<std::uint32_t>& packs,
                   const std::function<Status(const std::string& json)>& save);

}  // namespace restree
