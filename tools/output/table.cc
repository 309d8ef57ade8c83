#include "tools/output/table.h"

#include <algorithm>
#include <sstream>

#include "tools/output/columns.h"

namespace restree {
namespace {

constexpr std::size_t kGap = 2;

std::vector<std::string> lines_of(const std::string& cell) {
  std::vector<std::string> lines;
  std::istringstream text(cell);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// The lines of a row, each with a newline at its end.
std::vector<std::string> render(const std::vector<std::string>& cells,
                                const std::vector<std::size_t>& widths) {
  std::vector<std::vector<std::string>> columns;
  std::size_t height = 1;
  for (const std::string& cell : cells) {
    columns.push_back(lines_of(cell));
    height = std::max(height, columns.back().size());
  }
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < height; ++i) {
    std::string line;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string part = i < columns[c].size() ? columns[c][i] : std::string();
      if (c > 0) line.append(kGap, ' ');
      line += part;
      line.append(widths[c] - columns_of(part), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(line + "\n");
  }
  return lines;
}

}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths;
  widths.reserve(columns_.size());
  for (const std::string& column : columns_) widths.push_back(columns_of(column));
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      for (const auto& line : lines_of(row[c])) widths[c] = std::max(widths[c], columns_of(line));
    }
  }
  std::size_t total = (columns_.size() - 1) * kGap;
  for (const std::size_t width : widths) total += width;
  const std::string rule = std::string(total, '-') + "\n";

  std::string text = render(columns_, widths).front() + rule;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (separate_rows_ && i > 0) text += "\n";
    for (const std::string& line : render(rows_[i], widths)) text += line;
  }
  text += rule;
  for (const std::string& line : footer_) text += line + "\n";
  return text;
}

}  // namespace restree
