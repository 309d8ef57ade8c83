// Logging in to an SSH server.
//
// Keys are tried before passwords, and keys that need no passphrase first: the agent's, then key
// files without a passphrase, then encrypted ones, then password and keyboard-interactive. Of the
// agent's keys, those that the user named come first, since servers close after a few wrong ones.
//
// What the server accepts costs a round trip to find out, so the first key is tried without the
// question: mostly it is the right one. If it is refused, the question is asked then, and first by
// all later logins.
//
// Ownership: the secrets that were asked for, so that they are asked for only once for all
//            connections; those that the server refuses are forgotten.
// Threads:   any; a person is asked one thing at a time.
// Errors:    kDenied; the message lists what the server accepts and what was tried.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/storage/channel/wakeup.h"
#include "repo/storage/ssh/ssh_agent.h"
#include "repo/storage/ssh/ssh_key_file.h"
#include "repo/storage/ssh/ssh_options.h"
#include "repo/storage/ssh/ssh_target.h"

struct _LIBSSH2_SESSION;

namespace restree {

class SshWire;

class SshLogin {
 public:
  SshLogin(SecretSource password, SecretSource passphrase)
      : password_source_(std::move(password)), passphrase_source_(std::move(passphrase)) {}

  // The time that a person takes to answer is added to `patience`.
  Status authenticate(_LIBSSH2_SESSION* session, SshWire& wire, const SshTarget& target,
                      Patience& patience);

 private:
  struct Attempt;

  static void read_key_files(Attempt& attempt);
  // Once for each attempt. The server may let the user in by it.
  Status ask_methods(Attempt& attempt);
  // False: the server takes no keys, or no more of them. `asks_person`: a person would be asked for a
  // secret, which must not be in vain.
  Result<bool> takes_key(Attempt& attempt, bool asks_person);
  Result<bool> try_keys(Attempt& attempt);
  Result<bool> try_agent(Attempt& attempt);
  Result<bool> try_key_files(Attempt& attempt, bool encrypted);
  Result<bool> try_key_file(Attempt& attempt, const SshKeyFile& file);
  Result<bool> try_passwords(Attempt& attempt);
  Result<std::shared_ptr<const Secret>> ask(const SecretSource& source, const std::string& what_for,
                                            Patience& patience);
  // The server has refused it. Another connection may have asked for a new one meanwhile.
  void forget(const std::string& what_for, const std::shared_ptr<const Secret>& secret);

  const SecretSource password_source_;
  const SecretSource passphrase_source_;
  std::atomic<bool> asks_first_ = false;  // what the server accepts
  Mutex asking_;  // held while a person is asked, so that other logins wait for the answer
  std::map<std::string, std::shared_ptr<const Secret>> kept_ GUARDED_BY(asking_);  // by purpose
};

}  // namespace restree
