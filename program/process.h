// What both programs do first of all, about their process as a whole.
#pragma once

namespace restree {

// Keys and passwords must not end up in a core dump, nor be read by another process of the user.
void keep_memory_private();

// What the system refuses becomes an error of the call, not the end of the process: SIGPIPE and
// SIGXFSZ (a limit of the file size) are ignored.
void survive_failed_writes();

// Raises the limit of open files as far as is allowed and useful: deep folders and many connections
// need more than the 1,024 that are usual.
void raise_limit_of_open_files();

// Many threads that each free what another allocated would otherwise each keep a heap of their own.
void keep_heaps_few();

// For commands that need large tables one after the other. Otherwise the heap keeps what they leave, up to
// 32 MiB apiece, with small blocks in it.
void give_large_blocks_back();

}  // namespace restree
