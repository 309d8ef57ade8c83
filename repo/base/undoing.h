// What a program that is ended does about what LastResort undoes. The functions are in last_resort.cc.
#pragma once

#include <chrono>

namespace restree {

// Waits until nothing is left to undo, because it was done in good order, for `patience` at most. True:
// nothing is left. Threads: any that holds no LastResort.
bool wait_until_nothing_is_left(std::chrono::milliseconds patience);

// Undoes what there is, the last first, for a process that is to end at once. If that takes more than ten
// seconds, the process ends here, with `exit_code`. Afterwards other threads wait where they would end
// a LastResort. Threads: any, once.
void undo_before_the_end(int exit_code);

}  // namespace restree
