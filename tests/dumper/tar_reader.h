// Reads tar archives as POSIX describes them, byte for byte, for tests of what TarWriter writes.
//
// Nothing is converted: names, links and attributes come out as the bytes that are in the archive.
// Throws std::runtime_error where the archive is cut off, a checksum is wrong, or a number is not
// octal.
#pragma once

#include <cstdint>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restree::testing {

struct TarEntry {
  std::string path;
  char type = '0';
  std::uint64_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::string mtime;  // as in the pax record; digits of the header otherwise
  std::string link;
  std::string user;
  std::string group;
  std::map<std::string, std::string> records;  // of the pax header before it
  std::string content;
};

class TarReader {
 public:
  explicit TarReader(std::string_view archive) : left_(archive) {}

  std::vector<TarEntry> entries() {
    std::vector<TarEntry> all;
    std::map<std::string, std::string> records;
    for (;;) {
      const std::string_view header = block();
      if (is_zero(header)) break;
      TarEntry entry = parse(header);
      if (entry.type == 'x') {
        records = parse_records(padded(entry.size));
        continue;
      }
      entry.records = std::exchange(records, {});
      apply_records(entry);
      if (entry.type == '0') entry.content = padded(entry.size);
      all.push_back(std::move(entry));
    }
    if (!is_zero(block())) throw std::runtime_error("one block of zeros at the end, not two");
    if (!left_.empty()) throw std::runtime_error("bytes after the end");
    return all;
  }

  // The fields of the archive's first header that describes a file, without its content.
  TarEntry first_header() {
    TarEntry entry = parse(block());
    std::map<std::string, std::string> records;
    if (entry.type == 'x') {
      records = parse_records(padded(entry.size));
      entry = parse(block());
    }
    entry.records = std::move(records);
    apply_records(entry);
    return entry;
  }

 private:
  static constexpr std::size_t kBlockBytes = 512;

  std::string_view bytes(std::size_t count) {
    if (left_.size() < count) throw std::runtime_error("the archive is cut off");
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::string_view block() { return bytes(kBlockBytes); }
  std::string padded(std::size_t size) {
    const std::string_view blocks = bytes((size + kBlockBytes - 1) / kBlockBytes * kBlockBytes);
    if (!is_zero(blocks.substr(size))) throw std::runtime_error("padded with other than zeros");
    return std::string(blocks.substr(0, size));
  }
  static bool is_zero(std::string_view text) {
    return text.find_first_not_of('\0') == std::string_view::npos;
  }
  static std::string text(std::string_view field) {
    return std::string(field.substr(0, field.find('\0')));
  }
  static std::uint64_t number(std::string_view field) {
    const std::string digits = text(field.substr(0, field.find(' ')));
    if (digits.empty() || digits.find_first_not_of("01234567") != std::string::npos) {
      throw std::runtime_error("not octal: " + digits);
    }
    return std::stoull(digits, nullptr, 8);
  }

  static TarEntry parse(std::string_view header) {
    if (header.substr(257, 8) != std::string_view("ustar\00000", 8)) {
      throw std::runtime_error("no header of POSIX");
    }
    std::string summed(header);
    summed.replace(148, 8, 8, ' ');
    const std::uint64_t sum = std::accumulate(
        summed.begin(), summed.end(), std::uint64_t{0},
        [](std::uint64_t so_far, char byte) { return so_far + static_cast<unsigned char>(byte); });
    if (number(header.substr(148, 8)) != sum) throw std::runtime_error("another checksum");
    return {.path = text(header.substr(0, 100)),
            .type = header[156],
            .mode = number(header.substr(100, 8)),
            .uid = number(header.substr(108, 8)),
            .gid = number(header.substr(116, 8)),
            .size = number(header.substr(124, 12)),
            .mtime = std::to_string(number(header.substr(136, 12))),
            .link = text(header.substr(157, 100)),
            .user = text(header.substr(265, 32)),
            .group = text(header.substr(297, 32)),
            .records = {},
            .content = {}};
  }

  static std::map<std::string, std::string> parse_records(std::string_view records) {
    std::map<std::string, std::string> parsed;
    while (!records.empty()) {
      const std::size_t length = std::stoul(std::string(records.substr(0, records.find(' '))));
      if (length > records.size() || records[length - 1] != '\n') {
        throw std::runtime_error("a pax record of the wrong length");
      }
      std::string_view record = records.substr(0, length - 1);
      record.remove_prefix(record.find(' ') + 1);
      const std::size_t equals = record.find('=');
      parsed[std::string(record.substr(0, equals))] = record.substr(equals + 1);
      records.remove_prefix(length);
    }
    return parsed;
  }

  static void apply_records(TarEntry& entry) {
    for (const auto& [key, value] : entry.records) {
      if (key == "path") entry.path = value;
      if (key == "linkpath") entry.link = value;
      if (key == "uname") entry.user = value;
      if (key == "gname") entry.group = value;
      if (key == "uid") entry.uid = std::stoull(value);
      if (key == "gid") entry.gid = std::stoull(value);
      if (key == "size") entry.size = std::stoull(value);
      if (key == "mtime") entry.mtime = value;
    }
  }

  std::string_view left_;
};

}  // namespace restree::testing
