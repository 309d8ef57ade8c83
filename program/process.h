// What both programs do first of all, about their process as a whole.
#pragma once

namespace restree {

// Keys and passwords must not end up in a core dump, nor be read by another process of the user.
void keep_memory_private();

// Many threads that each free what another allocated would otherwise each keep a heap of their own.
void keep_heaps_few();

}  // namespace restree
