#include "repo/dumper/tar_writer.h"

#include <fmt/core.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "repo/base/log.h"
#include "repo/format/node_name.h"

namespace restree {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMostOctal7 = 07777777;       // uid, gid
constexpr std::uint64_t kMostOctal11 = 077777777777;  // size, mtime

// "27 path=some/where\n", where the number counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest;
  while (rest + std::to_string(length).size() != length) {
    length = rest + std::to_string(length).size();
  }
  std::string record = std::to_string(length);
  record.append(" ").append(key).append("=").append(value).append("\n");
  return record;
}

bool is_plain(std::string_view text, std::size_t most) {
  return text.size() <= most &&
         std::ranges::all_of(text, [](char byte) { return byte >= 0x20 && byte < 0x7f; });
}

// "1700000000.5", with as many digits as it takes; of times before 1970 as well.
std::string pax_time(Timestamp time) {
  std::int64_t seconds = time.seconds;
  std::uint32_t nanoseconds = time.nanoseconds;
  const bool is_negative = seconds < 0;
  if (is_negative && nanoseconds != 0) {  // counted from zero: -0.5 is second -1 and a half
    ++seconds;
    nanoseconds = 1'000'000'000 - nanoseconds;
  }
  std::string text = (is_negative ? "-" : "") + std::to_string(seconds < 0 ? -seconds : seconds);
  if (nanoseconds == 0) return text;
  text += fmt::format(".{:09}", nanoseconds);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::uint32_t u16le(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]) |
         std::uint32_t{static_cast<unsigned char>(bytes[at + 1])} << 8;
}

// The text form of an ACL that Linux keeps in an attribute; nullopt if `value` is not an ACL.
std::optional<std::string> acl_text(std::string_view value) {
  constexpr std::size_t kHeader = 4;
  constexpr std::size_t kEntry = 8;
  if (value.size() < kHeader || (value.size() - kHeader) % kEntry != 0 || u16le(value, 0) != 2) {
    return std::nullopt;
  }
  std::string text;
  for (std::size_t at = kHeader; at < value.size(); at += kEntry) {
    const std::uint32_t permissions = u16le(value, at + 2);
    const std::uint32_t id = u16le(value, at + 4) | u16le(value, at + 6) << 16;
    std::string who;
    switch (u16le(value, at)) {
      case 0x01:
        who = "user:";
        break;
      case 0x02:
        who = fmt::format("user:{}", id);
        break;
      case 0x04:
        who = "group:";
        break;
      case 0x08:
        who = fmt::format("group:{}", id);
        break;
      case 0x10:
        who = "mask:";
        break;
      case 0x20:
        who = "other:";
        break;
      default:
        return std::nullopt;
    }
    text += fmt::format("{}:{}{}{}\n", who, (permissions & 4) != 0 ? 'r' : '-',
                        (permissions & 2) != 0 ? 'w' : '-', (permissions & 1) != 0 ? 'x' : '-');
  }
  return text;
}

std::string xattr_record(const ExtendedAttribute& attribute) {
  const bool is_access = attribute.name == "system.posix_acl_access";
  if (is_access || attribute.name == "system.posix_acl_default") {
    if (const auto text = acl_text(attribute.value)) {
      return pax_record(is_access ? "SCHILY.acl.access" : "SCHILY.acl.default", *text);
    }
  }
  return pax_record("SCHILY.xattr." + std::string(attribute.name), attribute.value);
}

// The fields of ustar's header, in their order.
class Header {
 public:
  void text(std::string_view value, std::size_t width) {
    std::ranges::copy(value.substr(0, width), block_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += width;
  }
  // Zero where the number does not fit: a pax record has it then.
  void number(std::uint64_t value, std::size_t width) {
    std::string digits = fmt::format("{:0{}o}", value, width - 1);
    if (digits.size() > width - 1) digits = std::string(width - 1, '0');
    text(digits, width);
  }
  std::string block() {
    constexpr std::size_t kChecksumAt = 148;
    std::fill_n(block_.begin() + kChecksumAt, 8, ' ');
    unsigned sum = 0;
    for (const char byte : block_) sum += static_cast<unsigned char>(byte);
    at_ = kChecksumAt;
    text(fmt::format("{:06o}", sum) + std::string("\0 ", 2), 8);
    return {block_.data(), block_.size()};
  }

 private:
  std::array<char, kBlock> block_{};
  std::size_t at_ = 0;
};

struct Fields {
  std::string name;
  char type = '0';
  std::uint64_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::uint64_t mtime = 0;
  std::string link = {};
  std::string user = {};
  std::string group = {};
  std::uint64_t device_major = 0;
  std::uint64_t device_minor = 0;
};

std::string header_block(const Fields& fields) {
  Header header;
  header.text(fields.name, 100);
  header.number(fields.mode, 8);
  header.number(fields.uid, 8);
  header.number(fields.gid, 8);
  header.number(fields.size, 12);
  header.number(fields.mtime, 12);
  header.text("", 8);  // the checksum
  header.text(std::string_view(&fields.type, 1), 1);
  header.text(fields.link, 100);
  header.text("ustar", 6);
  header.text("00", 2);
  header.text(fields.user, 32);
  header.text(fields.group, 32);
  header.number(fields.device_major, 8);
  header.number(fields.device_minor, 8);
  return header.block();
}

std::string padded(std::string text) {
  text.resize((text.size() + kBlock - 1) / kBlock * kBlock);
  return text;
}

// A name that ends at a zero byte would be the name of another owner.
std::string owner_name(std::string_view name) {
  return holds_zero_byte(name) ? std::string() : std::string(name);
}

bool is_device(NodeType type) {
  return type == NodeType::kCharDevice || type == NodeType::kBlockDevice;
}

Fields fields_of(const std::string& path, const Node& node, std::uint64_t size) {
  Fields fields{.name = path,
                .mode = node.permissions,
                .uid = node.uid,
                .gid = node.gid,
                .size = size,
                .mtime = static_cast<std::uint64_t>(std::max<std::int64_t>(0, node.mtime.seconds)),
                .link = std::string(node.link_target),
                .user = owner_name(node.user),
                .group = owner_name(node.group)};
  if (node.type == NodeType::kDirectory) {
    fields.name += '/';
    fields.type = '5';
  } else if (node.type == NodeType::kSymlink) {
    fields.type = '2';
  } else if (node.type == NodeType::kFifo) {
    fields.type = '6';
  } else if (is_device(node.type)) {
    fields.type = node.type == NodeType::kCharDevice ? '3' : '4';
    fields.device_major = gnu_dev_major(node.device);
    fields.device_minor = gnu_dev_minor(node.device);
  }
  return fields;
}

// The values that the header cannot hold, or not exactly.
std::string pax_records(const Fields& fields, const Node& node) {
  std::string records;
  if (!is_plain(fields.name, 100)) records += pax_record("path", fields.name);
  if (!is_plain(fields.link, 100)) records += pax_record("linkpath", fields.link);
  if (!is_plain(fields.user, 31)) records += pax_record("uname", fields.user);
  if (!is_plain(fields.group, 31)) records += pax_record("gname", fields.group);
  if (fields.uid > kMostOctal7) records += pax_record("uid", std::to_string(fields.uid));
  if (fields.gid > kMostOctal7) records += pax_record("gid", std::to_string(fields.gid));
  if (fields.size > kMostOctal11) records += pax_record("size", std::to_string(fields.size));
  if (fields.device_major > kMostOctal7) {
    records += pax_record("SCHILY.devmajor", std::to_string(fields.device_major));
  }
  if (fields.device_minor > kMostOctal7) {
    records += pax_record("SCHILY.devminor", std::to_string(fields.device_minor));
  }
  const bool fits =
      node.mtime.nanoseconds == 0 && node.mtime.seconds >= 0 && fields.mtime <= kMostOctal11;
  if (!fits) records += pax_record("mtime", pax_time(node.mtime));
  for (const ExtendedAttribute& attribute : node.xattrs) {
    if (holds_zero_byte(attribute.name)) {
      log::warning("{}: the extended attribute {} is left out: its name holds a zero byte",
                   log::quoted(fields.name), log::quoted(attribute.name));
      continue;
    }
    records += xattr_record(attribute);
  }
  return records;
}

}  // namespace

bool TarWriter::holds(NodeType type) const { return type != NodeType::kSocket; }

Status TarWriter::begin(const std::string& path, const Node& node, std::uint64_t size) {
  RETURN_IF_ERROR(pad());
  const Fields fields = fields_of(path, node, size);
  const std::string records = pax_records(fields, node);
  std::string blocks;
  if (!records.empty()) {
    const std::string name = "PaxHeaders.0/" + std::string(node.name);
    blocks = header_block({.name = name, .type = 'x', .mode = 0644, .size = records.size()});
    blocks += padded(records);
  }
  return write(blocks + header_block(fields));
}

Status TarWriter::data(ByteView bytes) {
  in_block_ = (in_block_ + bytes.size()) % kBlock;
  return output_(bytes);
}

Status TarWriter::pad() {
  if (in_block_ == 0) return {};
  const std::string zeros(kBlock - in_block_, '\0');
  in_block_ = 0;
  return write(zeros);
}

Status TarWriter::finish() {
  RETURN_IF_ERROR(pad());
  return write(std::string(2 * kBlock, '\0'));
}

}  // namespace restree
