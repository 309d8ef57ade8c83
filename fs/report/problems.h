// What a mount has found damaged, each thing once, and how .restree/problems shows it.
//
// Damage of files and directories is met when somebody reads them, and stays in the list for as long as the
// mount lives, with the time when it was met last. Files of the repository that cannot be read are there
// for as long as that is so.
//
// Threads: any.
// Limits:  remembers kMost; what comes then is only counted.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "repo/base/guarded.h"

namespace restree {

struct Problem {
  std::string app = {};       // its plain name; empty: it is a file of the repository
  std::string snapshot = {};  // the beginning of its id; empty for a file of the repository
  std::string path = {};      // that was backed up; or of the file within the repository
  std::string what = {};      // in words for people
  auto operator<=>(const Problem&) const = default;
};

class Problems {
 public:
  using Time = std::chrono::system_clock::time_point;
  static constexpr std::size_t kMost = 10'000;

  explicit Problems(std::function<Time()> now = std::chrono::system_clock::now);

  // Somebody has met it.
  void met(Problem problem);
  // The files of the repository that cannot be read, in place of those that were passed before.
  void set_files(std::vector<Problem> files);

  // All, with those that are only counted.
  std::uint64_t count() const;
  // A JSON object a line: first "summary" with `problems`, how many there are, `files`, how many of them
  // are files of the repository, and `apps`, how many each app has; then "problem" for each, sorted, with
  // `app`, `snapshot`, `path`, `problem`, `first` and `last`, when it was met (UTC), and `times`, how often.
  // A file of the repository has neither `app` nor `snapshot` nor `times`.
  std::string as_json_lines() const;

 private:
  struct Meetings {
    Time first;
    Time last;
    std::uint64_t times = 0;
  };
  struct State {
    std::map<Problem, Meetings> met;
    std::map<Problem, Meetings> files;
    std::uint64_t uncounted = 0;  // beyond kMost
  };
  void note(std::map<Problem, Meetings>& in, Problem problem, const Meetings* before) const;

  const std::function<Time()> now_;
  Guarded<State> state_;
};

}  // namespace restree
