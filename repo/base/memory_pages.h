// Memory that is kept for later, without the pages that are seldom needed.
#pragma once

#include "repo/base/bytes.h"

namespace restree {

// Gives the whole pages of `memory` back to the system; their content is lost, and the next use
// gets fresh ones. For the part of a buffer that only the largest of what passes through it needs.
// Threads: any, as long as nobody else uses `memory`.
void give_back_pages(MutableByteView memory);

}  // namespace restree
