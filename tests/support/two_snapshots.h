// Two snapshots of /srv in memory, a day apart: f is in both, g.txt in the newer one only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree::testing {

class TwoSnapshots {
 public:
  explicit TwoSnapshots(std::uint32_t version = 1) : memory(version) {
    auto& builder = memory.builder();
    data = builder.add_data("content");
    const std::string f = file_node("f", {data}, 7, R"(,"mode":420,"uid":7)");
    before = builder.add_tree({f});
    after = builder.add_tree({f, file_node("g.txt", {data, data}, 14)});
    older = builder.add_snapshot(builder.add_tree({folder_node("srv", before)}),
                                 {.time = "2026-09-01T00:00:00Z",
                                  .paths = {"/srv"},
                                  .tags = {"a=1", "b"},
                                  .hostname = "one"});
    newer = builder.add_snapshot(
        builder.add_tree({folder_node("srv", after)}),
        {.time = "2026-09-02T00:00:00Z", .paths = {"/z", "/srv"}, .tags = {}, .hostname = "two"});
    builder.finish();
  }

  // Adds a third one, of three nodes with the same inode number and two links each: the first two
  // have the same content, the third has other content.
  void add_links() {
    auto& builder = memory.builder();
    const auto linked = [&](const std::string& name, const std::string& content) {
      const std::string node = file_node(name, {builder.add_data(content)}, content.size());
      const std::size_t at = node.find("\"links\":1");
      return std::string(node).replace(at, 9, "\"links\":2");
    };
    builder.add_snapshot(builder.add_tree({linked("a", "one file"), linked("b", "one file"),
                                           linked("c", "another")}),
                         {.time = "2026-09-03T00:00:00Z"});
    builder.finish();
  }

  Outcome run(const std::vector<std::string>& words) {
    return RestreeRunner(std::shared_ptr<Storage>(&memory.storage(), [](Storage*) {})).run(words);
  }
  // What a command that must succeed prints.
  std::string out(const std::vector<std::string>& words) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
    return outcome.out;
  }

  MemoryRepository memory;
  BlobId data;
  BlobId before;  // the trees of /srv
  BlobId after;
  std::string older;  // short ids
  std::string newer;
};

}  // namespace restree::testing
