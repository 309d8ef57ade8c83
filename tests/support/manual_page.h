// What a manual page says about options after -o.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace restree::testing {

// The names behind `.It Cm` in a section: `.It Cm a Ns = Ns Ar value` has one, `.It Cm a , b , c`
// three.
inline std::vector<std::string> documented_names(const std::string& page,
                                                 const std::string& section) {
  std::vector<std::string> names;
  std::ifstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".Sh ")) inside = line == ".Sh " + section;
    if (!inside || !line.starts_with(".It Cm ")) continue;
    std::istringstream words(line.substr(7));
    for (std::string word; words >> word && word != "Ns";) {
      if (word != ",") names.push_back(word);
    }
  }
  return names;
}

}  // namespace restree::testing
