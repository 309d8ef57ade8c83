// What a program that goes on for long sees of a repository, kept in the journal of this machine after
// each look.
//
//   RepeatedVisits visits("mount");
//   opening.in_front = visits.record().decorator();
//   … open the repository, then visits.record().watch(*repository, {address});
//   … after each look: visits.keep();
//
// Ownership: as VisitRecord.
// Threads:   keep(): one at a time, and no thread that readers wait for. findings(): any.
// Limits:    the journal is read only if something new was listed, another process has written to it, or
//            a day has passed; memory for its entries meanwhile.
// Errors:    a failure is logged, once until it works again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "program/visit_record.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"

namespace restree {

class RepeatedVisits {
 public:
  // `command`: what the journal calls this program.
  explicit RepeatedVisits(std::string command) : command_(std::move(command)) {}

  VisitRecord& record() { return record_; }
  void keep();
  // How many findings `restree audit` would tell, as of the last keep(). nullopt: that is not known.
  std::optional<std::uint64_t> findings() const { return *findings_.lock(); }

 private:
  Status try_to_keep();

  const std::string command_;
  VisitRecord record_;
  std::int64_t kept_at_ = 0;  // seconds since 1970; 0: never
  bool has_failed_ = false;
  Guarded<std::optional<std::uint64_t>> findings_;
};

}  // namespace restree
