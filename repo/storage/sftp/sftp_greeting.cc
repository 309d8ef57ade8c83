#include "repo/storage/sftp/sftp_greeting.h"

#include <fmt/core.h>

#include <array>
#include <vector>

#include "repo/storage/sftp/sftp_packet.h"

namespace restree {

using sftp::Request;
using sftp::Type;

namespace {

// Sends all of `out` and receives until `got` is `enough`.
Status exchange_bytes(ByteChannel& channel, ByteView out, MutableByteView in, std::size_t enough,
                      std::size_t& got, const Patience& patience, std::string_view host) {
  while (got < enough || !out.empty()) {
    ASSIGN_OR_RETURN(const std::size_t sent, channel.write_some(out));
    out = out.subspan(sent);
    std::size_t came = 0;
    if (got < enough) {
      ASSIGN_OR_RETURN(came, channel.read_some(in.subspan(got, enough - got)));
      got += came;
    }
    if (sent > 0 || came > 0) continue;
    const auto wait = channel.wait_for();
    if (!patience.wait(wait.fd, wait.events)) {
      return Error(ErrorKind::kUnavailable, fmt::format("{}: no SFTP greeting in time", host))
          .hinting(
              "The login worked, but nothing answers for SFTP: a login shell whose start-up files "
              "(~/.bashrc) wait for something on the server would do that");
    }
  }
  return {};
}

// The server's VERSION packet, after the length: type, version, extensions.
Result<SftpAbilities> parse_greeting(ByteView packet, std::string_view host) {
  PacketReader reader(packet.subspan(1));
  const std::uint32_t version = reader.u32();
  if (static_cast<Type>(packet[0]) != Type::kVersion || !reader.ok()) {
    return Error(ErrorKind::kUnavailable, fmt::format("{}: no SFTP greeting", host));
  }
  if (version < 3) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{}: the server speaks SFTP version {} only", host, version));
  }
  SftpAbilities abilities;
  while (reader.ok() && !reader.at_end()) {
    const std::string_view name = reader.string();
    const std::string_view value = reader.string();
    abilities.posix_rename |= name == "posix-rename@openssh.com" && value == "1";
    abilities.fsync |= name == "fsync@openssh.com" && value == "1";
    abilities.statvfs |= name == "statvfs@openssh.com" && value == "2";
    abilities.copy_data |= name == "copy-data" && value == "1";
    abilities.limits |= name == "limits@openssh.com" && value == "1";
  }
  return abilities;
}

}  // namespace

Result<SftpAbilities> greet_sftp_server(ByteChannel& channel, std::string_view host,
                                        const Patience& patience) {
  // INIT carries the version where other packets have an id.
  const auto hello = Request(Type::kInit).finish(3);
  std::array<std::byte, 4> length_field{};
  std::size_t got = 0;
  RETURN_IF_ERROR(exchange_bytes(channel, hello, length_field, 4, got, patience, host));
  const std::uint32_t length = PacketReader(length_field).u32();
  if (length < 5 || length > sftp::kMaxPacketBytes) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("{}: what answers is not an SFTP server", host))
        .hinting(
            "a login shell that prints something when it is not used by a person would do that");
  }
  std::vector<std::byte> packet(length);
  got = 0;
  RETURN_IF_ERROR(exchange_bytes(channel, {}, packet, length, got, patience, host));
  return parse_greeting(packet, host);
}

}  // namespace restree
