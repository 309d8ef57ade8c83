#include "repo/storage/ssh/ssh_login.h"

#include <fmt/core.h>
#include <libssh2.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "repo/base/log.h"
#include "repo/storage/ssh/ssh_wire.h"

namespace restree {

namespace {

// Servers close the connection after about six failures; the last attempts are left for passwords.
constexpr int kMaxKeysTried = 4;

constexpr const char* kRsaWayOut =
    "libssh2 1.10 signs with RSA keys in the old way (SHA-1) only, which OpenSSH refuses since "
    "8.8: "
    "use an ed25519 key, or let ssh make the connection: ssh_command=ssh";

bool offers(std::string_view methods, std::string_view method) {
  return ("," + std::string(methods) + ",").find("," + std::string(method) + ",") !=
         std::string::npos;
}

// libssh2 frees these copies with free(3).
char* malloc_copy(ByteView bytes) {
  auto* copy = static_cast<char*>(std::malloc(bytes.size() + 1));
  if (copy == nullptr) return nullptr;
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  copy[bytes.size()] = '\0';
  return copy;
}

struct AgentSignature {
  SshAgent* agent;
  const SshAgent::Key* key;
  const Patience* patience;
};

int sign_with_agent(LIBSSH2_SESSION*, unsigned char** signature, std::size_t* size,
                    const unsigned char* data, std::size_t data_size, void** context) {
  const auto& with = *reinterpret_cast<const AgentSignature*>(context);
  const auto made = with.agent->sign(
      *with.key, {reinterpret_cast<const std::byte*>(data), data_size}, *with.patience);
  if (!made) return -1;
  *signature = reinterpret_cast<unsigned char*>(malloc_copy(*made));
  *size = made->size();
  return *signature == nullptr ? -1 : 0;
}

// Answers a single question that is not echoed with the password. A server that asks more than one
// wants something that is not known here.
void answer_questions(const char*, int, const char*, int, int count,
                      const LIBSSH2_USERAUTH_KBDINT_PROMPT* prompts,
                      LIBSSH2_USERAUTH_KBDINT_RESPONSE* responses, void** abstract) {
  const auto* password = static_cast<const Secret*>(static_cast<SshWire*>(*abstract)->login);
  for (int i = 0; i < count; ++i) {
    const bool ours = count == 1 && prompts[i].echo == 0;
    const ByteView answer = ours ? password->view() : ByteView();
    responses[i].text = malloc_copy(answer);
    responses[i].length = static_cast<unsigned>(answer.size());
  }
}

}  // namespace

struct SshLogin::Attempt {
  LIBSSH2_SESSION* session;
  SshWire& wire;
  const SshTarget& target;
  Patience& patience;
  std::optional<std::string> methods = {};  // what the server accepts, comma-separated
  bool was_asked_late = false;              // for its methods: after a key was refused
  std::vector<SshKeyFile> files = {};
  std::vector<std::vector<std::byte>> keys_tried = {};
  int keys_refused = 0;
  bool rsa_refused = false;
  std::vector<std::string> tried = {};  // for the message

  // True: logged in. False: refused.
  template <class Call>
  Result<bool> make(std::string what, Call call) {
    tried.push_back(std::move(what));
    ASSIGN_OR_RETURN(const long outcome, wire.drive(patience, "login", call));
    if (outcome == 0 && is_in()) return true;
    if (wire.ended()) return closed();
    return false;
  }
  // kDenied if the server says that there were too many attempts, else kUnavailable: a retry may
  // help. A server that was asked late has counted the question as an attempt, and the next login
  // asks it first.
  Error closed() const {
    const std::string why = wire.last_words();
    const bool enough =
        !was_asked_late && why.find("Too many authentication failures") != std::string::npos;
    std::string doing;
    for (const auto& what : tried) doing += (doing.empty() ? "" : ", ") + what;
    return {enough ? ErrorKind::kDenied : ErrorKind::kUnavailable,
            fmt::format("{}: login: {} (tried {})", target.alias, why, doing)};
  }
  bool is_in() const { return libssh2_userauth_authenticated(session) != 0; }
  const char* user() const { return target.user.c_str(); }
  unsigned user_size() const { return static_cast<unsigned>(target.user.size()); }
};

Status SshLogin::authenticate(LIBSSH2_SESSION* session, SshWire& wire, const SshTarget& target,
                              Patience& patience) {
  Attempt attempt{session, wire, target, patience};
  read_key_files(attempt);
  if (asks_first_) RETURN_IF_ERROR(ask_methods(attempt));
  ASSIGN_OR_RETURN(bool in, try_keys(attempt));
  if (in) return {};
  RETURN_IF_ERROR(ask_methods(attempt));
  if (attempt.is_in()) return {};
  ASSIGN_OR_RETURN(in, try_passwords(attempt));
  if (in) return {};

  std::string tried;
  for (const auto& what : attempt.tried) tried += (tried.empty() ? "" : ", ") + what;
  Error error(ErrorKind::kDenied,
              fmt::format("{}: login as {} refused; the server accepts {}; tried {}", target.alias,
                          target.user, log::quoted(*attempt.methods),
                          tried.empty() ? "nothing, as there was no key or password" : tried));
  if (attempt.rsa_refused) return std::move(error).hinting(kRsaWayOut);
  return error;
}

void SshLogin::read_key_files(Attempt& attempt) {
  for (const auto& path : attempt.target.identity_files) {
    if (auto file = SshKeyFile::read(path)) {
      attempt.files.push_back(std::move(*file));
    } else {
      log::debug("{}", file.error().message());
      if (file.error().kind() != ErrorKind::kNotFound || attempt.target.identities_only) {
        attempt.tried.push_back(file.error().message());
      }
    }
  }
  std::stable_partition(attempt.files.begin(), attempt.files.end(),
                        [](const SshKeyFile& file) { return !file.is_rsa(); });
}

// The question is an attempt to log in with nothing, which a server may allow.
Status SshLogin::ask_methods(Attempt& attempt) {
  if (attempt.methods) return {};
  if (attempt.keys_refused > 0) attempt.was_asked_late = asks_first_ = true;
  ASSIGN_OR_RETURN(const long listed, attempt.wire.drive(attempt.patience, "login", [&]() -> long {
    const char* list = libssh2_userauth_list(attempt.session, attempt.user(), attempt.user_size());
    if (list != nullptr) attempt.methods = list;
    return list != nullptr || attempt.is_in() ? 0 : libssh2_session_last_errno(attempt.session);
  }));
  if (listed != 0) return attempt.closed();
  if (!attempt.methods) attempt.methods.emplace();
  return {};
}

Result<bool> SshLogin::takes_key(Attempt& attempt, bool asks_person) {
  if (attempt.keys_refused >= kMaxKeysTried) return false;
  if (asks_person || attempt.keys_refused > 0) RETURN_IF_ERROR(ask_methods(attempt));
  return !attempt.methods || (!attempt.is_in() && offers(*attempt.methods, "publickey"));
}

Result<bool> SshLogin::try_keys(Attempt& attempt) {
  ASSIGN_OR_RETURN(bool in, try_agent(attempt));
  for (const bool encrypted : {false, true}) {
    if (in) break;
    ASSIGN_OR_RETURN(in, try_key_files(attempt, encrypted));
  }
  return in;
}

Result<bool> SshLogin::try_agent(Attempt& attempt) {
  if (attempt.target.agent_socket.empty()) return false;
  auto agent = SshAgent::connect(attempt.target.agent_socket);
  if (!agent) {
    attempt.tried.push_back(agent.error().message());
    return false;
  }
  auto keys = agent->keys(attempt.patience);
  if (!keys) {
    attempt.tried.push_back(keys.error().message());
    return false;
  }
  const auto named = [&](const SshAgent::Key& key) {
    return std::any_of(attempt.files.begin(), attempt.files.end(), [&](const SshKeyFile& file) {
      return !file.public_key.empty() && file.public_key == key.public_key;
    });
  };
  std::stable_partition(keys->begin(), keys->end(), named);
  for (const auto& key : *keys) {
    const bool known_kind = key.type == "ssh-ed25519" || key.type == "ssh-rsa" ||
                            key.type.starts_with("ecdsa-sha2-nistp");
    if (!known_kind || key.type.find("cert") != std::string::npos) continue;
    if (attempt.target.identities_only && !named(key)) continue;
    ASSIGN_OR_RETURN(const bool is_taken, takes_key(attempt, false));
    if (!is_taken) break;
    AgentSignature context{&*agent, &key, &attempt.patience};
    const auto* blob = reinterpret_cast<const unsigned char*>(key.public_key.data());
    ASSIGN_OR_RETURN(
        const bool in,
        attempt.make(fmt::format("agent key {} {}", key.type, log::quoted(key.comment)), [&] {
          return libssh2_userauth_publickey(attempt.session, attempt.user(), blob,
                                            key.public_key.size(), sign_with_agent,
                                            reinterpret_cast<void**>(&context));
        }));
    if (in) return true;
    ++attempt.keys_refused;
    attempt.rsa_refused |= key.type == "ssh-rsa";
    attempt.keys_tried.push_back(key.public_key);
  }
  return false;
}

Result<bool> SshLogin::try_key_files(Attempt& attempt, bool encrypted) {
  for (const auto& file : attempt.files) {
    if (file.encrypted != encrypted) continue;
    const bool tried = std::find(attempt.keys_tried.begin(), attempt.keys_tried.end(),
                                 file.public_key) != attempt.keys_tried.end();
    if (tried) continue;
    ASSIGN_OR_RETURN(const bool is_taken, takes_key(attempt, encrypted));
    if (!is_taken) break;
    ASSIGN_OR_RETURN(const bool in, try_key_file(attempt, file));
    if (in) return true;
    ++attempt.keys_refused;
    attempt.rsa_refused |= file.is_rsa();
  }
  return false;
}

Result<bool> SshLogin::try_key_file(Attempt& attempt, const SshKeyFile& file) {
  std::shared_ptr<const Secret> passphrase;
  const std::string what_for = "passphrase for " + file.path;
  if (file.encrypted) {
    auto asked = ask(passphrase_source_, what_for, attempt.patience);
    if (!asked) {
      attempt.tried.push_back(asked.error().message());
      return false;
    }
    passphrase = std::move(*asked);
  }
  ASSIGN_OR_RETURN(const bool in, attempt.make("key " + file.path, [&] {
    // Secret keeps its text in a string, which ends in the NUL that libssh2 wants.
    return libssh2_userauth_publickey_fromfile_ex(
        attempt.session, attempt.user(), attempt.user_size(), nullptr, file.path.c_str(),
        passphrase == nullptr ? nullptr : passphrase->text().data());
  }));
  if (in || passphrase == nullptr) return in;
  forget(what_for, passphrase);
  attempt.tried.back() += " (or the passphrase is wrong)";
  return false;
}

Result<bool> SshLogin::try_passwords(Attempt& attempt) {
  const bool interactive = offers(*attempt.methods, "keyboard-interactive");
  const bool plain = offers(*attempt.methods, "password");
  if (!password_source_ || (!interactive && !plain)) return false;
  const std::string what_for =
      fmt::format("password of {}@{}", attempt.target.user, attempt.target.alias);
  auto asked = ask(password_source_, what_for, attempt.patience);
  if (!asked) {
    attempt.tried.push_back(asked.error().message());
    return false;
  }
  const Secret& password = **asked;
  if (plain) {
    ASSIGN_OR_RETURN(const bool in, attempt.make("password", [&] {
      return libssh2_userauth_password_ex(attempt.session, attempt.user(), attempt.user_size(),
                                          password.text().data(),
                                          static_cast<unsigned>(password.size()), nullptr);
    }));
    if (in) return true;
  }
  if (interactive) {
    attempt.wire.login = const_cast<Secret*>(&password);
    ASSIGN_OR_RETURN(const bool in, attempt.make("keyboard-interactive", [&] {
      return libssh2_userauth_keyboard_interactive_ex(attempt.session, attempt.user(),
                                                      attempt.user_size(), answer_questions);
    }));
    attempt.wire.login = nullptr;
    if (in) return true;
  }
  forget(what_for, *asked);
  return false;
}

Result<std::shared_ptr<const Secret>> SshLogin::ask(const SecretSource& source,
                                                    const std::string& what_for,
                                                    Patience& patience) {
  const MutexLock lock(asking_);
  if (const auto kept = kept_.find(what_for); kept != kept_.end()) return kept->second;
  if (!source) return Error(ErrorKind::kDenied, "no " + what_for);
  const auto before = Deadline::Clock::now();
  const auto left = patience.by.remaining();
  auto answer = source(what_for);
  patience.by = Deadline::at(before + left + (Deadline::Clock::now() - before));
  if (!answer) return std::move(answer).error().with(what_for);
  return kept_[what_for] = std::make_shared<const Secret>(std::move(*answer));
}

void SshLogin::forget(const std::string& what_for, const std::shared_ptr<const Secret>& secret) {
  const MutexLock lock(asking_);
  const auto kept = kept_.find(what_for);
  if (kept != kept_.end() && kept->second == secret) kept_.erase(kept);
}

}  // namespace restree
