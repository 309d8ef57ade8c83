#include "program/rescue_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "repo/base/unique_fd.h"
#include "repo/rescue/rescue_file.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

constexpr char kVariable[] = "RESTREE_RESCUE_KEY";
// A rescue key has about a kilobyte.
constexpr std::size_t kMostBytes = 64 << 10;

std::string named_file(const RepositoryAccess& access) {
  return access.rescue_key ? *access.rescue_key : environment_variable(kVariable);
}

Result<Secret> read_to_end(int fd, const std::string& name) {
  std::string text(kMostBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(fd, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error(errno, "read " + name);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  Secret secret(std::move(text));
  if (size <= kMostBytes) return secret;
  return Error(ErrorKind::kInvalid, name + " is too large for a rescue key");
}

}  // namespace

Result<Secret> read_rescue_key(const std::string& path) {
  if (path == "-") return read_to_end(STDIN_FILENO, "standard input");
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return errno_error(errno, "open " + path);
  return read_to_end(fd.get(), path);
}

bool is_for_paper(const Secret& text) {
  const std::size_t first = text.text().find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || text.text()[first] != '{';
}

Status add_rescue_key(const RepositoryAccess& access, RescuedStorage& storage) {
  const std::string path = named_file(access);
  if (path.empty()) return {};
  ASSIGN_OR_RETURN(const Secret text, read_rescue_key(path));
  if (is_for_paper(text)) {
    return Error(ErrorKind::kInvalid, path + " is not a rescue key with a password")
        .hinting("restree rescue-key import puts one for paper back, under a new password.");
  }
  Result<RescueFile> file = parse_rescue_file(text.view());
  if (!file) return std::move(file).error().with(path);
  storage.add_key(std::move(file->key_file));
  storage.add_config(std::move(file->config_file));
  return {};
}

}  // namespace restree
