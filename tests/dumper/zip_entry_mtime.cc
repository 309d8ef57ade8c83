#include "tests/dumper/zip_entry_mtime.h"

#include <archive_entry.h>

namespace restree::testing {

std::int64_t mtime_of(archive_entry* entry) { return archive_entry_mtime(entry); }

}  // namespace restree::testing
