// A repository as this machine had seen it by some moment: --as-of of restree, as_of of restreefs.
//
// Threads: any; choose() as the record.
#pragma once

#include <cstdint>
#include <string>

#include "program/visit_record.h"
#include "repo/base/result.h"
#include "repo/storage/decorators/chosen_storage.h"

namespace restree {

class AsOf {
 public:
  // `text`: 2006-01-02 15:04, in the local time zone. kInvalid: it is no time.
  static Result<AsOf> parse(const std::string& text);

  // From now on `storage`, through which the watched repository was opened, lists only the snapshots and
  // index files that had been seen by then, and the index files that this machine has written since.
  // These become more: a program that goes on calls it again. kNotFound: no visit was made by then. After
  // an error, the choice is as before.
  Status choose(const VisitRecord& record, ChosenStorage& storage) const;

 private:
  explicit AsOf(std::int64_t time) : time_(time) {}
  std::int64_t time_;  // seconds since 1970
};

}  // namespace restree
