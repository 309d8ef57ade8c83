// A text table that looks like restic's: a line above and below its rows, and a footer.
//
// Threads: one. A cell may have several lines. Widths are counted in columns of a terminal.
#pragma once

#include <string>
#include <vector>

namespace restree {

class Table {
 public:
  explicit Table(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void add_footer(std::string line) { footer_.push_back(std::move(line)); }
  // Puts an empty line between a row of several lines and its neighbours.
  void separate_rows() { separate_rows_ = true; }

  std::string text() const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::string> footer_;
  bool separate_rows_ = false;
};

}  // namespace restree
