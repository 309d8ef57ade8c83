#include "repo/storage/ssh/ssh_key_file.h"

#include <cerrno>
#include <fstream>
#include <optional>
#include <span>

#include "repo/crypto/secret.h"
#include "repo/storage/channel/packet.h"

namespace restree {

namespace {

constexpr std::size_t kMaxFileBytes = 64 << 10;
constexpr std::string_view kOpensshMagic("openssh-key-v1\0", 15);

// The base64 between the first pair of BEGIN and END lines that carry `label`, without line ends.
std::string body_of(std::string_view text, std::string_view label) {
  const std::string begin = "-----BEGIN " + std::string(label) + "-----";
  const std::string end = "-----END " + std::string(label) + "-----";
  const auto from = text.find(begin);
  const auto to = text.find(end);
  if (from == std::string_view::npos || to == std::string_view::npos || to < from) return {};
  std::string body;
  for (const char c : text.substr(from + begin.size(), to - from - begin.size())) {
    if (c != '\n' && c != '\r' && c != ' ') body += c;
  }
  return body;
}

bool parse_openssh(std::string_view decoded, SshKeyFile& key) {
  if (!decoded.starts_with(kOpensshMagic)) return false;
  PacketReader reader(as_bytes(decoded.substr(kOpensshMagic.size())));
  key.encrypted = reader.string() != "none";
  reader.string();  // key derivation
  reader.string();  // its options
  if (reader.u32() < 1) return false;
  const ByteView blob = as_bytes(reader.string());
  if (!reader.ok()) return false;
  key.public_key.assign(blob.begin(), blob.end());
  key.type = PacketReader(blob).string();
  return true;
}

}  // namespace

Result<SshKeyFile> SshKeyFile::read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return errno_error(errno, "read key " + path);
  std::string text(kMaxFileBytes, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  auto key = parse(path, text);
  wipe_memory(std::as_writable_bytes(std::span(text.data(), text.size())));
  return key;
}

Result<SshKeyFile> SshKeyFile::parse(std::string path, std::string_view text) {
  SshKeyFile key;
  key.path = std::move(path);
  const auto has = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (has("-----BEGIN OPENSSH PRIVATE KEY-----")) {
    const auto decoded = from_base64(body_of(text, "OPENSSH PRIVATE KEY"));
    if (decoded && parse_openssh(*decoded, key)) return key;
  } else if (has("-----BEGIN ") && has("PRIVATE KEY-----")) {
    if (has("BEGIN RSA PRIVATE KEY")) key.type = "ssh-rsa";
    key.encrypted = has("Proc-Type: 4,ENCRYPTED") || has("BEGIN ENCRYPTED PRIVATE KEY");
    return key;
  }
  return Error(ErrorKind::kInvalid, key.path + " is not a private key");
}

}  // namespace restree
