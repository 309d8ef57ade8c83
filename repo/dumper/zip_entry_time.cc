#include "repo/dumper/zip_entry_time.h"

#include <archive_entry.h>

#include <algorithm>
#include <limits>

namespace restree {

void set_time(archive_entry* entry, Timestamp modified) {
  using Limits = std::numeric_limits<time_t>;
  const auto seconds =
      static_cast<time_t>(std::clamp<std::int64_t>(modified.seconds, Limits::min(), Limits::max()));
  archive_entry_set_mtime(entry, seconds, static_cast<long>(modified.nanoseconds));
}

}  // namespace restree
