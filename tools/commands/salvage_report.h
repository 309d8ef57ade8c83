// What `salvage` could not bring back of a snapshot: gathered while it runs, and written as lists.
//
// Threads: any. Limits: memory for each path that is not whole.
// Errors:  of write(): kLocalIo, with the file's path.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/restorer/restore_options.h"

namespace restree {

class SalvageReport final : public RestoreListener {
 public:
  // `fills`: of a file that is not whole the rest is there, with zeros in it.
  explicit SalvageReport(bool fills) : fills_(fills) {}

  void item(RestoreAction, RestoredKind, const std::string&, std::uint64_t) override {}
  void lost(const std::string& location, std::uint64_t size,
            const std::vector<LostRange>& ranges) override;
  void error(const std::string& location, const Error& error) override;

  std::size_t count() const { return items_.lock()->size(); }
  // A line for each path, which has everything for people.
  std::string as_text() const;
  // An array with an object for each path: path, error, and for files: size, state (filled, left_out),
  // lost: an array of [begin, end] in bytes, the end not counted.
  std::string as_json() const;

 private:
  struct Item {
    std::string why;
    bool is_file = false;
    std::uint64_t size = 0;
    std::vector<LostRange> ranges;
  };
  bool is_filled(const Item& item) const;

  const bool fills_;
  Guarded<std::map<std::string, Item>> items_;
};

}  // namespace restree
