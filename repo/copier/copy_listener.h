// Receives what a copy does, to print it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "repo/base/result.h"
#include "repo/format/snapshot.h"

namespace restree {

// What a destination lacks, as it is in the source.
struct CopyFigures {
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // sealed
  std::uint64_t packs = 0;  // that hold any of them
};

// Called by the thread that copies, except for pack_copied(), which several call at once.
class CopyListener {
 public:
  virtual ~CopyListener() = default;

  // Both repositories have one master key, and packs are copied as they are: called once, before it
  // is found out what so many snapshots need.
  virtual void same_key(std::size_t snapshots) = 0;
  // The destination has this one.
  virtual void skipped(const Snapshot& source, const SnapshotId& copy) = 0;
  virtual void begun(const Snapshot& source) = 0;
  // Its trees have been read, and saved where they lacked.
  virtual void planned(const CopyFigures& lacking) = 0;
  // All that is wanted of one more of the packs is saved.
  virtual void pack_copied() = 0;
  virtual void copied() = 0;
  // It is left out, since the source lacks a part of it or has it damaged.
  virtual void left_out(const Snapshot& source, const Error& why) = 0;

  // So many snapshots have all their blobs stored, and are saved now.
  virtual void saving(std::size_t count) = 0;
  virtual void saved(const SnapshotId& source, const SnapshotId& copy) = 0;
};

}  // namespace restree
