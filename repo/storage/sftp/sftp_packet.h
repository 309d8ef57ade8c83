// The packets of SFTP version 3: composed, and parsed with every length checked.
//
//   packet     := length:u32  type:byte  id:u32  body         length counts what follows it
//   attributes := flags:u32  [size:u64]  [uid:u32 gid:u32]  [permissions:u32]
//                 [atime:u32 mtime:u32]
//                 [count:u32 (name:string value:string)*]     each part there iff its flag is set
//
// Format: draft-ietf-secsh-filexfer-02; OpenSSH's PROTOCOL for the extensions. All big-endian.
// Threads: pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/storage/channel/packet.h"

namespace restree::sftp {

enum class Type : std::uint8_t {
  kInit = 1,
  kVersion = 2,
  kOpen = 3,
  kClose = 4,
  kRead = 5,
  kWrite = 6,
  kLstat = 7,
  kFstat = 8,
  kSetstat = 9,
  kFsetstat = 10,
  kOpendir = 11,
  kReaddir = 12,
  kRemove = 13,
  kMkdir = 14,
  kRmdir = 15,
  kRealpath = 16,
  kStat = 17,
  kRename = 18,
  kStatus = 101,
  kHandle = 102,
  kData = 103,
  kName = 104,
  kAttributes = 105,
  kExtended = 200,
  kExtendedReply = 201,
};

enum class StatusCode : std::uint32_t {
  kOk = 0,
  kEof = 1,
  kNoSuchFile = 2,
  kPermissionDenied = 3,
  kFailure = 4,
  kBadMessage = 5,
  kNoConnection = 6,
  kConnectionLost = 7,
  kUnsupported = 8,
};

constexpr std::uint32_t kOpenRead = 0x01;
constexpr std::uint32_t kOpenWrite = 0x02;
constexpr std::uint32_t kOpenCreate = 0x08;
constexpr std::uint32_t kOpenTruncate = 0x10;
constexpr std::uint32_t kOpenExclusive = 0x20;

// No packet that we ask for comes near this; OpenSSH itself stops at 256 KiB.
constexpr std::uint32_t kMaxPacketBytes = 1024 * 1024;

struct Attributes {
  std::optional<std::uint64_t> size;
  std::optional<std::uint32_t> permissions;  // with the file type, if the server sends it
  std::optional<std::uint32_t> modified;     // seconds since 1970

  // False only if the server says that it is of another type; an unknown type may be the right one.
  bool may_be_file() const { return !permissions || type() == 0 || type() == 0100000; }
  bool may_be_directory() const { return !permissions || type() == 0 || type() == 0040000; }
  bool is_directory() const { return type() == 0040000; }
  bool is_link() const { return permissions && type() == 0120000; }

 private:
  std::uint32_t type() const { return permissions.value_or(0) & 0170000U; }
};

struct Entry {
  std::string name;
  Attributes attributes;
};

// A request under construction; finish() fills in its `id`.
class Request {
 public:
  explicit Request(Type type, std::size_t size_hint = 64);

  Request& u32(std::uint32_t value);
  Request& u64(std::uint64_t value);
  Request& string(std::string_view text);
  Request& string(ByteView bytes);
  Request& permissions(std::uint32_t mode);  // attributes that hold nothing else
  Request& no_attributes() { return u32(0); }

  // The packet as it is sent.
  std::vector<std::byte> finish(std::uint32_t id) &&;

 private:
  std::vector<std::byte> bytes_;
};

// An answer other than DATA, not parsed yet.
struct Answer {
  Type type;
  std::vector<std::byte> body;  // after the id
};

// Reads the attributes that come next in `reader`.
Attributes read_attributes(PacketReader& reader);

struct Status {
  StatusCode code;
  std::string message;
};

// Each gives nullopt if the answer is of another type or malformed.
std::optional<Status> parse_status(const Answer& answer);
std::optional<std::string> parse_handle(const Answer& answer);
std::optional<Attributes> parse_attributes(const Answer& answer);
std::optional<std::vector<Entry>> parse_names(const Answer& answer);

// The STATUS for everything that has none of its own: a disk that fails, a folder that is opened as
// a file, too many open files.
bool is_plain_failure(const Answer& answer);
// A STATUS other than OK as an Error; `doing` says what to which file.
Error status_error(const Status& status, std::string_view doing);

}  // namespace restree::sftp
