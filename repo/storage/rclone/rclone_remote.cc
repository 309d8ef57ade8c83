#include "repo/storage/rclone/rclone_remote.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "repo/base/readable.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

std::string upper_case(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

// Set and empty is not the same as not set: it hides what the file says.
const char* variable_of(std::string_view whose, std::string_view key) {
  const std::string name = fmt::format("RCLONE_{}_{}", upper_case(whose), upper_case(key));
  return std::getenv(name.c_str());
}

bool is_name_character(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_special_name(char c) {
  return std::string_view("*#$@!?-0123456789").find(c) != std::string_view::npos;
}

struct VariableName {
  std::string_view name;   // empty: not a name
  std::size_t length = 0;  // of what stands behind the '$' and is replaced
};

VariableName name_behind_dollar(std::string_view rest) {
  if (rest.empty()) return {};
  if (rest.front() == '{') {
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) return {{}, 1};
    return {rest.substr(1, end - 1), end + 1};
  }
  if (is_special_name(rest.front())) return {rest.substr(0, 1), 1};
  const auto end = std::ranges::find_if_not(rest, is_name_character);
  const auto length = static_cast<std::size_t>(end - rest.begin());
  return {rest.substr(0, length), length};
}

Error no_such_remote(const std::string& name, const RcloneFile& file) {
  std::vector<std::string> known;
  for (const std::string& section : file.sections()) {
    if (file.setting(section, "type") != nullptr) known.push_back(readable(section));
  }
  Error error(
      ErrorKind::kInvalid,
      file.path().empty()
          ? fmt::format("there is no rclone remote {}: rclone has no configuration file here",
                        readable(name))
          : fmt::format("there is no rclone remote {} in {}", readable(name), file.path()));
  if (known.empty()) {
    return std::move(error).hinting(
        "Set RCLONE_CONFIG to the file that has it, or make it with `rclone config`.");
  }
  return std::move(error).hinting(fmt::format("It has: {}.", fmt::join(known, ", ")));
}

}  // namespace

std::string with_variables(std::string_view text, const std::string& config_folder) {
  std::string expanded;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    expanded += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    text.remove_prefix(1);
    const VariableName variable = name_behind_dollar(text);
    if (variable.length == 0) expanded += '$';
    text.remove_prefix(variable.length);
    if (variable.name == "RCLONE_CONFIG_DIR") {
      expanded += config_folder;
    } else if (!variable.name.empty()) {
      expanded += environment_variable(std::string(variable.name));
    }
  }
  return expanded;
}

Result<RcloneRemote> RcloneRemote::find(std::string name, const RcloneFile& file) {
  RcloneRemote remote(std::move(name), file);
  if (const char* const given = variable_of("CONFIG_" + remote.name_, "type"); given != nullptr) {
    remote.type_ = given;
  } else if (const Secret* const type = file.setting(remote.name_, "type"); type != nullptr) {
    remote.type_ = type->text();
  }
  if (remote.type_.empty()) return no_such_remote(remote.name_, file);
  return remote;
}

std::string RcloneRemote::source() const {
  return file_->path().empty() ? "the environment" : file_->path();
}

Secret RcloneRemote::secret(std::string_view key) const {
  for (const std::string& whose : {"CONFIG_" + name_, type_}) {
    if (const char* const given = variable_of(whose, key); given != nullptr) {
      return Secret::copy_of(as_bytes(std::string_view(given)));
    }
  }
  const Secret* const setting = file_->setting(name_, key);
  return setting == nullptr ? Secret() : setting->clone();
}

std::string RcloneRemote::file_name(std::string_view key) const {
  namespace fs = std::filesystem;
  std::string path = value(key);
  if (path == "~" || path.starts_with("~/")) path.replace(0, 1, home_folder());
  const fs::path config(file_->path());
  path = with_variables(path, config.empty() ? "." : config.parent_path().string());
  if (path.empty()) return path;
  std::error_code failure;
  const fs::path absolute = fs::absolute(path, failure);
  return failure ? path : absolute.string();
}

}  // namespace restree
