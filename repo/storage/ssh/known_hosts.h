// What the user's known_hosts files say about one server.
//
// Format: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: patterns with * ? and !, [host]:port, hashed names,
//         @revoked. Lines of @cert-authority are left out: libssh2 knows no host certificates.
// Threads: one at a time. Only `read` opens files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

struct KnownKey {
  std::string type;  // "ssh-ed25519"
  std::string key;   // base64, as in the file
  bool revoked = false;
  std::string file;
  int line = 0;
};

class KnownHosts {
 public:
  // Tells whether the hashed name ("|1|salt|hash") is that of `name`.
  using HashedNameIs = std::function<bool(std::string_view hashed, const std::string& name)>;

  // A file that does not exist counts as empty; one that cannot be read is an error, since a
  // @revoked line in it would go unseen.
  static Result<KnownHosts> read(const std::vector<std::string>& files, std::string name,
                                 const HashedNameIs& hashed_name_is);
  // Adds the lines of one file that are about the host.
  void add_file(std::string_view text, const std::string& file, const HashedNameIs& hashed_name_is);
  explicit KnownHosts(std::string name) : name_(std::move(name)) {}

  // The name of this host in the files: "host", or "[host]:port" if the port is not 22.
  static std::string name_of(const std::string& host, std::uint16_t port);

  const std::string& name() const { return name_; }
  const std::vector<KnownKey>& keys() const { return keys_; }

  enum class Verdict { kKnown, kUnknown, kChanged, kRevoked };
  // `key`: base64. If kChanged, `contradicted_by` is a line with another key of the same type.
  Verdict judge(std::string_view type, std::string_view key,
                const KnownKey** contradicted_by = nullptr) const;

  // Host key algorithms in the order to ask for: those of known keys first, since a host may have
  // several keys, and would otherwise show one that is not known.
  std::string preferred_algorithms() const;

 private:
  std::string name_;
  std::vector<KnownKey> keys_;
};

}  // namespace restree
