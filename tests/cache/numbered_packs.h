// A pack's id for each small number.
#pragma once

#include <cstddef>

#include "repo/format/id.h"

namespace restree {

inline PackId pack(int number) {
  PackId id;
  id.bytes.fill(static_cast<std::byte>(number));
  return id;
}

}  // namespace restree
