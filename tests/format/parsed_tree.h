// A tree from its JSON, for tests in which parsing must succeed.
#pragma once

#include <memory>
#include <string>

#include "repo/format/tree.h"
#include "tests/support/matchers.h"

namespace restree {

using TreePointer = std::shared_ptr<const Tree>;

inline TreePointer parsed(const std::string& json) {
  return testing::value_of(Tree::parse(as_bytes(json)));
}

}  // namespace restree
