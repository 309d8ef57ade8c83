// The manual page and the program know the same options.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "fs/options.h"

namespace restree {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

// The names behind `.It Cm` in the section MOUNT OPTIONS: `.It Cm a Ns = Ns Ar value` has one,
// `.It Cm a , b , c` three.
std::vector<std::string> documented_options() {
  std::vector<std::string> names;
  std::ifstream page(RESTREE_SOURCE_DIR "/man/restreefs.8");
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(".Sh ")) inside = line == ".Sh MOUNT OPTIONS";
    if (!inside || !line.starts_with(".It Cm ")) continue;
    std::istringstream words(line.substr(7));
    for (std::string word; words >> word && word != "Ns";) {
      if (word != ",") names.push_back(word);
    }
  }
  return names;
}

TEST(Manual, DocumentsEveryOptionOnceAndNoOther) {
  const std::vector<std::string> documented = documented_options();
  ASSERT_THAT(documented, Not(IsEmpty()));
  EXPECT_THAT(documented, UnorderedElementsAreArray(known_option_names()));
}

}  // namespace
}  // namespace restree
