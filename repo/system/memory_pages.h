// Giving back the seldom needed pages of memory that is kept for later.
#pragma once

#include "repo/base/bytes.h"

namespace restree {

// Gives the whole pages of `memory` back to the system; their content is lost, and the next use
// gets fresh ones. For the part of a buffer that only its largest contents need.
// Threads: any, as long as no other thread uses `memory`.
void give_back_pages(MutableByteView memory);

}  // namespace restree
