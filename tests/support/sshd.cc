#include "tests/support/sshd.h"

#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace restree::testing {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartTime{20};
constexpr std::chrono::seconds kStopTime{20};

bool is_free(std::uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

// A name that no two processes can have at a time, and that none has when it has ended.
bool claim(const UniqueFd& socket, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);  // behind a zero: no file
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0;
}

std::string text_of(const fs::path& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The fourth field of /proc/PID/stat, after the name in parentheses.
pid_t parent_if_alive(const fs::path& process) {
  const std::string stat = text_of(process / "stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(stat.substr(name_end + 1));
  char state = 0;
  pid_t parent = 0;
  rest >> state >> parent;
  return state == 'Z' ? 0 : parent;
}

// Or has ended.
bool is_stopped(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return true;
  std::istringstream rest(stat.substr(name_end + 1));
  char state = 0;
  rest >> state;
  return std::string_view("tTZX").find(state) != std::string_view::npos;
}

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

std::string location_at(std::uint16_t port, const fs::path& folder) {
  return "sftp://" + Sshd::user() + "@127.0.0.1:" + std::to_string(port) + "/" + folder.string();
}

}  // namespace

// Below the ports that the kernel gives to programs that ask for any: while a server is stopped,
// such a port could be given to another program.
ClaimedPort::ClaimedPort() {
  constexpr unsigned kFirst = 20'000;
  constexpr unsigned kCount = 12'000;
  std::random_device random;
  for (unsigned attempt = 0; attempt < kCount; ++attempt) {
    number_ = static_cast<std::uint16_t>(kFirst + random() % kCount);
    claim_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (claim(claim_, "restree-test-port-" + std::to_string(number_)) && is_free(number_)) return;
  }
  throw std::runtime_error("no free port");
}

void make_ssh_key(const fs::path& path, const std::string& type, const std::string& passphrase) {
  run_ok({.argv = {"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "test", "-f",
                   path.string()}});
}

std::string Sshd::user() {
  const passwd* entry = ::getpwuid(::getuid());
  if (entry == nullptr) throw std::runtime_error("this user has no name");
  return entry->pw_name;
}

Sshd::Sshd(const SshdOptions& options) : host_key_types_(options.host_key_types) {
  make_ssh_key(identity(), "ed25519");
  fs::copy_file(identity().string() + ".pub", authorized_keys());
  for (const auto& type : host_key_types_) make_ssh_key(host_key(type), type);
  know_host_at(port());
  std::ofstream(ssh_config()) << "# nothing\n";
  write_config(options);
  // Root's sshd wants this for its unprivileged half, even if it is not used.
  if (::getuid() == 0) ::mkdir("/run/sshd", 0755);
  start();
}

Sshd::~Sshd() { stop(); }

void Sshd::write_config(const SshdOptions& options) {
  std::ofstream config(dir_.path() / "sshd_config");
  for (const auto& line : options.config) config << line << '\n';  // the first mention counts
  config << "ListenAddress 127.0.0.1:" << port() << '\n'
         << "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nLogLevel VERBOSE\n"
         << "PubkeyAuthentication yes\nPasswordAuthentication no\n"
         << "KbdInteractiveAuthentication no\nUseDNS no\nMaxStartups 100\n"
         << "AuthorizedKeysFile " << authorized_keys().string()
         << '\n'
         // bash reads ~/.bashrc where sshd starts it, as for an external sftp-server. What the user
         // of this machine does in there, and for how long, must not be part of a test.
         << "SetEnv HOME=" << dir_.path().string() << '\n';
  for (const auto& type : options.host_key_types) {
    config << "HostKey " << host_key(type).string() << '\n';
  }
  if (options.sftp) {
    config << "Subsystem sftp "
           << (options.external_sftp_server ? "/usr/lib/openssh/sftp-server" : "internal-sftp")
           << '\n';
  }
}

void Sshd::start() {
  if (server_) return;
  const int starts = count(log(), "Server listening on");
  server_.emplace(
      Process::start({.argv = {"/usr/sbin/sshd", "-D", "-f", (dir_.path() / "sshd_config").string(),
                               "-E", (dir_.path() / "log").string()}}));
  const bool up = holds_within(kStartTime, [&] {
    return count(log(), "Server listening on") > starts || !server_->running();
  });
  if (!up || !server_->running()) throw std::runtime_error("sshd did not start:\n" + log());
}

// All are stopped before any is killed: one that is started meanwhile would serve on, and a child whose
// parent is dead cannot be found any more.
void Sshd::stop() {
  if (!server_) return;
  server_->signal(SIGSTOP);
  holds_within(kStopTime, [&] { return is_stopped(server_->pid()); });
  const auto orphans = stopped_children();
  server_->signal(SIGKILL);
  server_->wait(kStartTime);
  server_.reset();
  for (const pid_t pid : orphans) ::kill(pid, SIGKILL);
}

std::string Sshd::location(const fs::path& folder) const { return location_at(port(), folder); }

std::string Sshd::location_behind(std::uint16_t port, const fs::path& folder) const {
  know_host_at(port);
  return location_at(port, folder);
}

void Sshd::know_host_at(std::uint16_t port) const {
  std::ofstream known(known_hosts(), std::ios::app);
  for (const auto& type : host_key_types_) {
    known << "[127.0.0.1]:" << port << ' ' << text_of(host_key(type).string() + ".pub");
  }
}

SshOptions Sshd::ssh_options() const {
  SshOptions options;
  options.config_file = ssh_config().string();
  options.identity_files = {identity().string()};
  options.known_hosts_file = known_hosts().string();
  options.use_agent = false;
  return options;
}

std::string Sshd::mount_options() const {
  return "ssh_key=" + identity().string() + ",ssh_known_hosts=" + known_hosts().string() +
         ",ssh_config=" + ssh_config().string();
}

std::string Sshd::log() const { return text_of(dir_.path() / "log"); }

int Sshd::logins() const {
  const std::string text = log();
  return count(text, "Accepted publickey for") + count(text, "Accepted password for") +
         count(text, "Accepted keyboard-interactive");
}

int Sshd::connections() const {
  int found = 0;
  if (!server_) return 0;
  for (const auto& process : fs::directory_iterator("/proc")) {
    if (parent_if_alive(process.path()) == server_->pid()) ++found;
  }
  return found;
}

// All that the server has started, however deep.
std::vector<pid_t> Sshd::children() const {
  std::multimap<pid_t, pid_t> by_parent;
  for (const auto& process : fs::directory_iterator("/proc")) {
    const std::string name = process.path().filename().string();
    pid_t pid = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (read.ptr != name.data() + name.size()) continue;
    by_parent.emplace(parent_if_alive(process.path()), pid);
  }
  std::vector<pid_t> found;
  std::vector<pid_t> next;
  if (server_) next.push_back(server_->pid());
  while (!next.empty()) {
    const auto [begin, end] = by_parent.equal_range(next.back());
    next.pop_back();
    for (auto child = begin; child != end; ++child) {
      found.push_back(child->second);
      next.push_back(child->second);
    }
  }
  return found;
}

// Until it stops, a process may start another one, which then is not among those that were found.
std::vector<pid_t> Sshd::stopped_children() const {
  std::vector<pid_t> found;
  std::set<pid_t> frozen;
  const auto all_stopped = [&] {
    found = children();
    for (const pid_t pid : found) ::kill(pid, SIGSTOP);
    const std::set<pid_t> before = std::exchange(frozen, {found.begin(), found.end()});
    return frozen == before && std::ranges::all_of(found, is_stopped);
  };
  holds_within(kStopTime, all_stopped);
  return found;
}

void Sshd::kill_connections() {
  for (const pid_t pid : stopped_children()) ::kill(pid, SIGKILL);
}

void Sshd::freeze_connections() {
  if (!std::ranges::all_of(stopped_children(), is_stopped)) {
    throw std::runtime_error("sshd's connections do not stop");
  }
}

void Sshd::thaw_connections() {
  for (const pid_t pid : children()) ::kill(pid, SIGCONT);
}

void Sshd::freeze() {
  server_->signal(SIGSTOP);
  if (!holds_within(kStopTime, [&] { return is_stopped(server_->pid()); })) {
    throw std::runtime_error("sshd does not stop");
  }
  freeze_connections();
}

void Sshd::thaw() {
  server_->signal(SIGCONT);
  thaw_connections();
}

}  // namespace restree::testing
