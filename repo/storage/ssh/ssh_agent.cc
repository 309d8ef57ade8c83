#include "repo/storage/ssh/ssh_agent.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "repo/storage/channel/packet.h"

namespace restree {

namespace {

constexpr std::byte kRequestIdentities{11};
constexpr std::byte kIdentitiesAnswer{12};
constexpr std::byte kSignRequest{13};
constexpr std::byte kSignResponse{14};
constexpr std::uint32_t kMaxAnswerBytes = 256 * 1024;
constexpr std::uint32_t kMaxKeys = 1000;

void append_u32(std::vector<std::byte>& to, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(value >> shift));
}

void append_string(std::vector<std::byte>& to, ByteView bytes) {
  append_u32(to, bytes.size());
  to.insert(to.end(), bytes.begin(), bytes.end());
}

Error agent_trouble(std::string_view what) {
  return {ErrorKind::kUnavailable, "the SSH agent " + std::string(what)};
}

// Calls `move` (a send or a receive) until all `size` bytes have moved.
template <class Move>
Status move_all(std::size_t size, int fd, short event, const Patience& patience, Move move) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = move(done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      if (!patience.wait(fd, event)) return agent_trouble("does not answer in time");
    } else if (count == 0 || errno != EINTR) {
      return agent_trouble("closed the connection");
    }
  }
  return {};
}

Status send_all(int fd, ByteView bytes, const Patience& patience) {
  return move_all(bytes.size(), fd, POLLOUT, patience, [&](std::size_t done) {
    return ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
  });
}

Status receive_all(int fd, MutableByteView bytes, const Patience& patience) {
  return move_all(bytes.size(), fd, POLLIN, patience, [&](std::size_t done) {
    return ::recv(fd, bytes.data() + done, bytes.size() - done, 0);
  });
}

}  // namespace

Result<SshAgent> SshAgent::connect(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return agent_trouble("has too long a path: " + socket_path);
  }
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return agent_trouble("at " + socket_path + " does not answer: " + std::strerror(errno));
  }
  return SshAgent(std::move(fd));
}

Result<std::vector<std::byte>> SshAgent::ask(ByteView request, std::byte wanted,
                                             const Patience& patience) {
  std::vector<std::byte> packet;
  append_string(packet, request);
  RETURN_IF_ERROR(send_all(fd_.get(), packet, patience));
  std::array<std::byte, 4> length_field{};
  RETURN_IF_ERROR(receive_all(fd_.get(), length_field, patience));
  const std::uint32_t length = PacketReader(length_field).u32();
  if (length < 1 || length > kMaxAnswerBytes) return agent_trouble("does not keep to its protocol");
  std::vector<std::byte> answer(length);
  RETURN_IF_ERROR(receive_all(fd_.get(), answer, patience));
  if (answer[0] != wanted) return Error(ErrorKind::kDenied, "the SSH agent refused");
  answer.erase(answer.begin());
  return answer;
}

Result<std::vector<SshAgent::Key>> SshAgent::keys(const Patience& patience) {
  const std::array request{kRequestIdentities};
  ASSIGN_OR_RETURN(const auto answer, ask(request, kIdentitiesAnswer, patience));
  PacketReader reader(answer);
  const std::uint32_t count = reader.u32();
  std::vector<Key> keys;
  for (std::uint32_t i = 0; reader.ok() && i < count && i < kMaxKeys; ++i) {
    const ByteView blob = as_bytes(reader.string());
    Key key{{blob.begin(), blob.end()},
            std::string(PacketReader(blob).string()),
            std::string(reader.string())};
    if (reader.ok()) keys.push_back(std::move(key));
  }
  if (!reader.ok()) return agent_trouble("does not keep to its protocol");
  return keys;
}

Result<std::vector<std::byte>> SshAgent::sign(const Key& key, ByteView data,
                                              const Patience& patience) {
  std::vector<std::byte> request{kSignRequest};
  append_string(request, key.public_key);
  append_string(request, data);
  append_u32(request, 0);  // no flags: the signature that the key's own type names
  ASSIGN_OR_RETURN(const auto answer, ask(request, kSignResponse, patience));
  PacketReader outer(answer);
  PacketReader reader(as_bytes(outer.string()));
  reader.string();  // the algorithm
  const ByteView signature = as_bytes(reader.string());
  if (!reader.ok() || !outer.ok()) return agent_trouble("does not keep to its protocol");
  return std::vector<std::byte>(signature.begin(), signature.end());
}

}  // namespace restree
