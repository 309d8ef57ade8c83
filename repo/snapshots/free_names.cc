#include "repo/snapshots/free_names.h"

#include <fmt/core.h>

#include "repo/snapshots/app_names.h"

namespace restree {

std::string FreeNames::find(const std::string& name,
                            const std::function<bool(const std::string&)>& is_taken) {
  if (!is_taken(name)) return name;
  std::size_t& next = next_.try_emplace(name, 1).first->second;
  for (;; ++next) {
    const std::string number = fmt::format("-{}", next);
    std::string numbered = name.substr(0, kLongestEntryName - number.size()) + number;
    if (!is_taken(numbered)) return numbered;
  }
}

}  // namespace restree
