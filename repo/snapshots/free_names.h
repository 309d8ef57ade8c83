// Gives the entries of one directory names that differ.
//
// Threads: one at a time.
// Limits:  a number for each name that was wanted more than once. Remembering it keeps thousands of
//          entries that want one name from trying all the names of those before them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>

namespace restree {

class FreeNames {
 public:
  // `name`, or the first of `name`-1, `name`-2 and so on that is not taken. `name` must be one that a
  // directory entry can have, as from entry_name() or shortened_entry(). A name that was taken once
  // must stay so.
  std::string find(const std::string& name,
                   const std::function<bool(const std::string&)>& is_taken);

 private:
  std::unordered_map<std::string, std::size_t> next_;  // the first number that may be free
};

}  // namespace restree
