#include "program/as_of.h"

#include <set>
#include <vector>

#include "repo/system/time_zone.h"
#include "repo/text/time_words.h"

namespace restree {
namespace {

std::set<std::string> names_of(const std::vector<JournalId>& ids) {
  std::set<std::string> names;
  for (const JournalId& id : ids) names.insert(id.hex());
  return names;
}

}  // namespace

Result<AsOf> AsOf::parse(const std::string& text) {
  ASSIGN_OR_RETURN(const Timestamp time, parse_time_words(text, TimeZone::local()));
  return AsOf(time.seconds);
}

Status AsOf::choose(const VisitRecord& record, ChosenStorage& storage) const {
  ASSIGN_OR_RETURN(const SeenBy seen, record.seen_by(time_));
  storage.choose(FileType::kSnapshot, names_of(seen.snapshots));
  storage.choose(FileType::kIndex, names_of(seen.indexes));
  return {};
}

}  // namespace restree
