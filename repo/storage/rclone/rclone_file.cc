#include "repo/storage/rclone/rclone_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "repo/base/unique_fd.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

constexpr std::size_t kLongestFile = 1 << 20;
constexpr std::string_view kDefaultSection = "DEFAULT";
constexpr std::string_view kEncrypted = "RCLONE_ENCRYPT_V";

std::string_view without_margins(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// The quotes that `text` begins with, or an empty text.
std::string_view quotes_of(std::string_view text, bool single) {
  if (text.size() >= 6 && text.starts_with(R"(""")")) return text.substr(0, 3);
  if (text.starts_with('`') || (single && text.starts_with('"'))) return text.substr(0, 1);
  return {};
}

struct Setting {
  std::string_view key;
  std::string_view value;
};

// Nullopt: the line, which is neither empty nor a comment nor a section, is not a setting.
std::optional<Setting> setting_in(std::string_view line) {
  Setting setting;
  const std::string_view key_quotes = quotes_of(line, true);
  std::size_t key_end = 0;
  if (!key_quotes.empty()) {
    key_end = line.find(key_quotes, key_quotes.size());
    if (key_end == std::string_view::npos) return std::nullopt;
    setting.key = line.substr(key_quotes.size(), key_end - key_quotes.size());
  }
  const std::size_t equals = line.find_first_of("=:", key_end);
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  if (key_quotes.empty()) setting.key = without_margins(line.substr(0, equals));
  setting.value = without_margins(line.substr(equals + 1));
  const std::string_view quotes =
      setting.value.size() < 2 ? std::string_view() : quotes_of(setting.value, false);
  if (quotes.empty()) return setting;
  setting.value.remove_prefix(quotes.size());
  const std::size_t end = setting.value.rfind(quotes);
  if (end == std::string_view::npos) return std::nullopt;
  setting.value = setting.value.substr(0, end);
  return setting;
}

Error not_read(const std::string& path, std::size_t line, std::string_view why) {
  return {ErrorKind::kInvalid,
          fmt::format("rclone's configuration {} line {}: {}", path, line, why)};
}

Error is_encrypted(const std::string& path) {
  return Error(ErrorKind::kUnsupported,
               fmt::format("rclone's configuration {} is encrypted, which is not supported", path))
      .hinting(
          "Remove its password with `rclone config` (s, then u), set RCLONE_CONFIG to another "
          "file, "
          "or name the server itself: sftp:USER@HOST:PATH.");
}

Result<Secret> content_of(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error(errno, "open rclone's configuration " + path);
  std::string content(kLongestFile, '\0');
  std::size_t length = 0;
  while (length < content.size()) {
    const ssize_t count = ::read(fd.get(), content.data() + length, content.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error(errno, "read rclone's configuration " + path);
    if (count == 0) {
      content.resize(length);
      return Secret(std::move(content));
    }
    length += static_cast<std::size_t>(count);
  }
  return Error(ErrorKind::kInvalid,
               fmt::format("rclone's configuration {} is longer than 1 MiB", path));
}

}  // namespace

std::optional<std::string> RcloneFile::find() {
  namespace fs = std::filesystem;
  std::error_code failure;
  if (const char* const given = std::getenv("RCLONE_CONFIG"); given != nullptr) {
    const fs::path path(given);
    // Three ways to say that there is no configuration file.
    if (path.empty() || path == "/dev/null" || path.filename() == "notfound") return std::nullopt;
    const fs::path absolute = fs::absolute(path, failure);
    return failure ? path.string() : absolute.string();
  }
  std::vector<fs::path> candidates;
  if (const std::string xdg = environment_variable("XDG_CONFIG_HOME"); !xdg.empty()) {
    candidates.push_back(fs::path(xdg) / "rclone/rclone.conf");
  }
  if (const fs::path home = home_folder(); !home.empty()) {
    candidates.push_back(home / ".config/rclone/rclone.conf");
    candidates.push_back(home / ".rclone.conf");
  }
  for (const fs::path& candidate : candidates) {
    if (!fs::exists(candidate, failure)) continue;
    const fs::path absolute = fs::absolute(candidate, failure);
    return failure ? candidate.string() : absolute.string();
  }
  return std::nullopt;
}

Result<RcloneFile> RcloneFile::read() {
  const std::optional<std::string> path = find();
  if (!path) return RcloneFile();
  Result<Secret> content = content_of(*path);
  if (!content && content.error().kind() == ErrorKind::kNotFound) {
    RcloneFile missing;
    missing.path_ = *path;
    return missing;
  }
  RETURN_IF_ERROR(content);
  return parse(content->text(), *path);
}

Result<RcloneFile> RcloneFile::parse(std::string_view text, const std::string& path) {
  RcloneFile file;
  file.path_ = path;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string section(kDefaultSection);
  bool is_first = true;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const std::string_view line = without_margins(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (std::exchange(is_first, false) && line.starts_with(kEncrypted)) return is_encrypted(path);
    if (line.front() == '[' && line.back() == ']') {
      section = without_margins(line.substr(1, line.size() - 2));
      if (!section.empty()) file.sections_[section];
      continue;
    }
    if (section.empty()) return not_read(path, number, "belongs to a section without a name");
    const std::optional<Setting> setting = setting_in(line);
    if (!setting) return not_read(path, number, "neither [section] nor key = value");
    if (setting->key.empty()) continue;
    file.sections_[section].insert_or_assign(std::string(setting->key),
                                             Secret::copy_of(as_bytes(setting->value)));
  }
  return file;
}

const Secret* RcloneFile::setting(std::string_view section, std::string_view key) const {
  while (true) {
    const auto settings = sections_.find(section);
    if (settings == sections_.end()) return nullptr;
    if (const auto found = settings->second.find(key); found != settings->second.end()) {
      return &found->second;
    }
    const std::size_t dot = section.rfind('.');
    if (dot == std::string_view::npos) return nullptr;
    section = section.substr(0, dot);
  }
}

std::vector<std::string> RcloneFile::sections() const {
  std::vector<std::string> names;
  names.reserve(sections_.size());
  for (const auto& [name, settings] : sections_) names.push_back(name);
  return names;
}

std::vector<std::string> RcloneFile::keys(std::string_view section) const {
  std::vector<std::string> names;
  const auto settings = sections_.find(section);
  if (settings == sections_.end()) return names;
  names.reserve(settings->second.size());
  for (const auto& [key, value] : settings->second) names.push_back(key);
  return names;
}

}  // namespace restree
