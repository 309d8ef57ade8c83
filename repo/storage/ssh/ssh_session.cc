#include "repo/storage/ssh/ssh_session.h"

#include <fmt/core.h>
#include <libssh2.h>

#include <algorithm>
#include <cassert>
#include <mutex>
#include <utility>

#include "repo/base/log.h"
#include "repo/storage/ssh/ssh_offer.h"
#include "repo/storage/ssh/ssh_wire.h"

namespace restree {

namespace {

// Ordered by speed among those that are safe. SHA-1 is left in as a MAC, where it is not broken,
// but not for key exchange.
constexpr const char* kKeyExchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"
    "diffie-hellman-group18-sha512,diffie-hellman-group14-sha256";
// libssh2 has GCM from 1.11 on; it is far quicker.
constexpr const char* kCiphers =
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";
constexpr const char* kMacs = "hmac-sha2-256,hmac-sha2-512,hmac-sha1";

// How much is let in before data is taken out again; fits the second-level cache.
constexpr std::size_t kStretchBytes = 256 << 10;
// The window that OpenSSH's own client grants.
constexpr std::uint32_t kFirstWindow = 2 << 20;
// Over a long line the window is larger from the beginning. That it is what limits the rate shows
// late or never: chunks are read in the order of the file, so the connections take turns, and each
// carries less on average than its window would let in. With windows of 2 MiB, 1 GiB came over
// 100 ms in 24 s, with 8 MiB in 16 s. Nobody waits longer for that: how much is asked for, and so
// stands before the next answer, SftpEngine decides.
constexpr double kUsualRate = 100e6;  // bytes a second
constexpr std::uint32_t kMostFirstWindow = 8 << 20;

std::uint32_t window_over(Deadline::Clock::duration round_trip) {
  const double usual = std::chrono::duration<double>(round_trip).count() * kUsualRate;
  return static_cast<std::uint32_t>(std::clamp<double>(usual, kFirstWindow, kMostFirstWindow));
}

void init_libssh2() {
  static std::once_flag once;
  std::call_once(once, [] { libssh2_init(0); });
}

struct FreeKnownHosts {
  void operator()(LIBSSH2_KNOWNHOSTS* hosts) const { libssh2_knownhost_free(hosts); }
};

// libssh2 can tell whether a hashed name is this one, but not list what it knows about a name. So
// it gets one line with a made-up key: a mismatch of keys means that the names matched.
bool hashed_name_is(LIBSSH2_SESSION* session, std::string_view hashed, const std::string& name) {
  const std::unique_ptr<LIBSSH2_KNOWNHOSTS, FreeKnownHosts> hosts(libssh2_knownhost_init(session));
  const std::string line = fmt::format("{} ssh-rsa {:A>64}", hashed, "");
  if (libssh2_knownhost_readline(hosts.get(), line.data(), line.size(),
                                 LIBSSH2_KNOWNHOST_FILE_OPENSSH) != 0) {
    return false;
  }
  const int verdict = libssh2_knownhost_check(
      hosts.get(), name.c_str(), "other", 5,
      LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_BASE64, nullptr);
  return verdict == LIBSSH2_KNOWNHOST_CHECK_MISMATCH;
}

std::string fingerprint(LIBSSH2_SESSION* session) {
  const char* hash = libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256);
  if (hash == nullptr) return "SHA256:?";
  std::string text = to_base64(as_bytes(std::string_view(hash, 32)));
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

Error no_common_ground(const std::string& host, const SshOffer& offer,
                       const std::string& host_keys) {
  if (!lists_meet(host_keys, offer.host_keys)) {
    Error error(
        ErrorKind::kUnsupported,
        fmt::format("{}: the server's host keys are of kinds that libssh2 {} does not know: "
                    "{}",
                    host, libssh2_version(0), log::quoted(offer.host_keys)));
    return std::move(error).hinting(
        "give the server an ed25519 host key (ssh-keygen -A), or let ssh make the connection: "
        "ssh_command=ssh");
  }
  Error error(ErrorKind::kUnsupported,
              fmt::format("{}: no cipher or key exchange in common: the server offers {} and {}",
                          host, log::quoted(offer.ciphers), log::quoted(offer.key_exchanges)));
  return std::move(error).hinting("let ssh make the connection: ssh_command=ssh");
}

Error unknown_key(const SshTarget& target, const KnownHosts& known, const std::string& shown) {
  Error error(ErrorKind::kDenied,
              fmt::format("{}: the host key is not known: {}", target.alias, shown));
  const std::string port = target.port == 22 ? "" : fmt::format("-p {} ", target.port);
  const std::string file =
      target.known_hosts_files.empty() ? "~/.ssh/known_hosts" : target.known_hosts_files[0];
  if (target.proxy.empty() && known.name() == KnownHosts::name_of(target.host, target.port)) {
    return std::move(error).hinting(
        fmt::format("compare the fingerprint with the server's, then: ssh-keyscan {}{} >> {}", port,
                    target.host, file));
  }
  return std::move(error).hinting(
      fmt::format("compare the fingerprint with the server's, then log in once with ssh {}, which "
                  "adds {} to {}",
                  target.alias, known.name(), file));
}

Error changed_key(const SshTarget& target, const KnownHosts& known, const KnownKey& line,
                  const std::string& shown) {
  Error error(ErrorKind::kDenied,
              fmt::format("{}: THE HOST KEY HAS CHANGED: {} is not the key in {} line {}",
                          target.alias, shown, line.file, line.line));
  return std::move(error).hinting(
      fmt::format("someone may be listening in. Only if you know why it changed: ssh-keygen -f {} "
                  "-R '{}', then add the new one",
                  line.file, known.name()));
}

// Asks for those of the `wanted` algorithms that this libssh2 has, in that order, and returns them.
// They are picked out here since libssh2 1.10 would copy overlapping memory when it leaves out
// unknown ones itself.
std::string prefer(LIBSSH2_SESSION* ssh, int method, std::string_view wanted) {
  const char** supported = nullptr;
  const int count = libssh2_session_supported_algs(ssh, method, &supported);
  std::string list;
  while (!wanted.empty()) {
    const std::string_view name = wanted.substr(0, wanted.find(','));
    wanted.remove_prefix(std::min(name.size() + 1, wanted.size()));
    if (std::any_of(supported, supported + std::max(count, 0),
                    [&](std::string_view known) { return known == name; })) {
      if (!list.empty()) list += ',';
      list += name;
    }
  }
  if (supported != nullptr) libssh2_free(ssh, supported);
  if (!list.empty()) libssh2_session_method_pref(ssh, method, list.c_str());
  return list;
}

}  // namespace

void SshSession::EndSession::operator()(LIBSSH2_SESSION* session) const {
  libssh2_session_disconnect(session, "done");
  while (libssh2_session_free(session) == LIBSSH2_ERROR_EAGAIN) {
  }
}

void SshSession::EndChannel::operator()(LIBSSH2_CHANNEL* channel) const {
  while (libssh2_channel_free(channel) == LIBSSH2_ERROR_EAGAIN) {
  }
}

SshSession::SshSession(std::string host, std::unique_ptr<SshWire> wire)
    : host_(std::move(host)), wire_(std::move(wire)) {}

SshSession::~SshSession() {
  // Freeing sends a farewell, which need not arrive, and nothing more is let in.
  wire_->shut();
  channel_.reset();
  // What a key exchange has allocated is freed when it ends, and not with the session. Nothing comes any
  // more, so it ends at once.
  if (is_shaking_hands_) {
    while (libssh2_session_handshake(session_.get(), wire_->fd()) == LIBSSH2_ERROR_EAGAIN) {
    }
  }
  session_.reset();
}

Result<std::unique_ptr<SshSession>> SshSession::connect(const SshTarget& target, SshLogin& login,
                                                        Patience& patience) {
  init_libssh2();
  ASSIGN_OR_RETURN(auto wire, SshWire::open(target, patience));
  std::unique_ptr<SshSession> session(new SshSession(target.alias, std::move(wire)));
  session->session_.reset(libssh2_session_init_ex(nullptr, nullptr, nullptr, session->wire_.get()));
  if (!session->session_) return Error(ErrorKind::kLocalIo, "out of memory");
  libssh2_session_set_blocking(session->session_.get(), 0);
  session->wire_->attach(session->session_.get());
  RETURN_IF_ERROR(session->shake_hands(target, patience));
  RETURN_IF_ERROR(login.authenticate(session->session_.get(), *session->wire_, target, patience));
  RETURN_IF_ERROR(session->open_channel(patience));
  return session;
}

// Up to the request for the service that logs users in. Its answer says nothing new (a server that
// has none hangs up), so the first attempt to log in follows at once, which saves a round trip.
// RFC 4253 allows that where the server has shown its host key, as it has in all key exchanges here.
// All that libssh2 would still do is take that answer; it stays among the packets that the session
// keeps until it ends.
Status SshSession::shake_hands(const SshTarget& target, const Patience& patience) {
  LIBSSH2_SESSION* const ssh = session_.get();
  ASSIGN_OR_RETURN(const KnownHosts known,
                   KnownHosts::read(target.known_hosts_files, target.key_name,
                                    [ssh](std::string_view hashed, const std::string& name) {
                                      return hashed_name_is(ssh, hashed, name);
                                    }));
  const std::string key_exchanges = prefer(ssh, LIBSSH2_METHOD_KEX, kKeyExchanges);
  const std::string host_keys = prefer(ssh, LIBSSH2_METHOD_HOSTKEY, known.preferred_algorithms());
  prefer(ssh, LIBSSH2_METHOD_CRYPT_CS, kCiphers);
  const std::string ciphers = prefer(ssh, LIBSSH2_METHOD_CRYPT_SC, kCiphers);
  prefer(ssh, LIBSSH2_METHOD_MAC_CS, kMacs);
  prefer(ssh, LIBSSH2_METHOD_MAC_SC, kMacs);
  is_shaking_hands_ = true;
  ASSIGN_OR_RETURN(const long outcome, wire_->drive(patience, "greeting", [&] {
    const int stage = libssh2_session_handshake(ssh, wire_->fd());
    return stage == LIBSSH2_ERROR_EAGAIN && wire_->has_asked_for_login() ? 0 : stage;
  }));
  is_shaking_hands_ = false;
  if (outcome != 0) {
    const auto offer = parse_ssh_offer(wire_->greeting());
    if (offer &&
        (!lists_meet(host_keys, offer->host_keys) || !lists_meet(ciphers, offer->ciphers) ||
         !lists_meet(key_exchanges, offer->key_exchanges))) {
      return no_common_ground(host_, *offer, host_keys);
    }
    return take_error(wire_->greeting().empty() ? "closed before any greeting" : "greeting");
  }
  return check_host_key(target, known);
}

Status SshSession::check_host_key(const SshTarget& target, const KnownHosts& known) {
  std::size_t size = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(session_.get(), &size, &type);
  if (key == nullptr) return take_error("host key");
  const char* algorithm = libssh2_session_methods(session_.get(), LIBSSH2_METHOD_HOSTKEY);
  const std::string name = algorithm == nullptr ? "unknown" : algorithm;
  const std::string shown = fmt::format("{} {}", name, fingerprint(session_.get()));
  const KnownKey* contradiction = nullptr;
  switch (known.judge(name, to_base64(as_bytes(std::string_view(key, size))), &contradiction)) {
    case KnownHosts::Verdict::kKnown:
      return {};
    case KnownHosts::Verdict::kRevoked:
      return Error(ErrorKind::kDenied,
                   fmt::format("{}: the host key was revoked: {}", target.alias, shown));
    case KnownHosts::Verdict::kChanged:
      return changed_key(target, known, *contradiction, shown);
    case KnownHosts::Verdict::kUnknown:
      break;
  }
  return unknown_key(target, known, shown);
}

Status SshSession::open_channel(const Patience& patience) {
  LIBSSH2_SESSION* const ssh = session_.get();
  const auto asked = Deadline::Clock::now();
  ASSIGN_OR_RETURN(const long opened, wire_->drive(patience, "open a channel", [&]() -> long {
    channel_.reset(libssh2_channel_open_ex(ssh, "session", sizeof "session" - 1, kFirstWindow,
                                           LIBSSH2_CHANNEL_PACKET_DEFAULT, nullptr, 0));
    return channel_ ? 0 : libssh2_session_last_errno(ssh);
  }));
  if (opened != 0) return take_error("open a channel");
  const auto answered = Deadline::Clock::now();
  window_.emplace(window_over(answered - asked), answered - asked, answered);
  // What the server's shell prints on stderr is not part of the stream.
  ASSIGN_OR_RETURN(const long ignored, wire_->drive(patience, "open a channel", [&] {
    return libssh2_channel_handle_extended_data2(channel_.get(),
                                                 LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
  }));
  if (ignored != 0) return take_error("open a channel");
  ASSIGN_OR_RETURN(const long started, wire_->drive(patience, "start SFTP", [&] {
    return libssh2_channel_subsystem(channel_.get(), "sftp");
  }));
  if (started == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{}: logged in, but the server offers no SFTP", host_))
        .hinting("its sshd_config needs the line: Subsystem sftp internal-sftp");
  }
  if (started != 0) return take_error("start SFTP");
  return {};
}

Result<std::size_t> SshSession::read_some(MutableByteView into) {
  wire_->allow(kStretchBytes);
  const ssize_t got =
      libssh2_channel_read(channel_.get(), reinterpret_cast<char*>(into.data()), into.size());
  if (got > 0) {
    widen_window(static_cast<std::size_t>(got));
    return static_cast<std::size_t>(got);
  }
  wire_->push();  // the read may have made a window adjustment
  if (got == LIBSSH2_ERROR_EAGAIN) return std::size_t{0};
  if (got == 0 && libssh2_channel_eof(channel_.get()) == 0) return std::size_t{0};
  if (got == 0) {
    return Error(ErrorKind::kUnavailable, fmt::format("{}: the server ended SFTP", host_));
  }
  return take_error("read");
}

// libssh2 itself renews a window of the size that the channel was opened with; this widens it.
void SshSession::widen_window(std::size_t received) {
  assert(window_);  // open_channel() has made it
  window_->note(received, Deadline::Clock::now());
  const std::uint32_t wanted = window_->bytes();
  if (wanted == kFirstWindow) return;
  const unsigned long left = libssh2_channel_window_read_ex(channel_.get(), nullptr, nullptr);
  if (left >= wanted - wanted / 4) return;
  // If this fails, so will the next read, which reports it.
  libssh2_channel_receive_window_adjust2(channel_.get(), wanted - left, 1, nullptr);
}

Result<std::size_t> SshSession::write_some(ByteView bytes) {
  std::size_t taken = 0;
  wire_->allow(kStretchBytes);
  while (taken < bytes.size() && wire_->unsent() < kMaxUnsentBytes) {
    const ByteView rest = bytes.subspan(taken);
    const ssize_t sent = libssh2_channel_write(
        channel_.get(), reinterpret_cast<const char*>(rest.data()), rest.size());
    if (sent == LIBSSH2_ERROR_EAGAIN || sent == 0) break;
    if (sent < 0) return take_error("write");
    taken += static_cast<std::size_t>(sent);
  }
  wire_->push();
  return taken;
}

ByteChannel::Wait SshSession::wait_for() const { return wire_->wait_for(); }

std::uint64_t SshSession::bytes_moved() const { return wire_->bytes_moved(); }

Error SshSession::take_error(std::string_view doing) const {
  char* text = nullptr;
  int length = 0;
  libssh2_session_last_error(session_.get(), &text, &length, 0);
  std::string why = wire_->last_words();
  if (why.empty() && length > 0) why = log::quoted({text, static_cast<std::size_t>(length)});
  return {ErrorKind::kUnavailable, fmt::format("{}: {}: {}", host_, doing, why)};
}

}  // namespace restree
