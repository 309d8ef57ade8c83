#include "repo/base/path.h"

#include <algorithm>
#include <vector>

namespace restree {

std::string clean_path(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!absolute) {
      parts.push_back(part);
    }
  }
  std::string cleaned;
  for (const auto part : parts) {
    if (absolute || !cleaned.empty()) cleaned += '/';
    cleaned += part;
  }
  if (cleaned.empty()) cleaned = absolute ? "/" : ".";
  return cleaned;
}

std::string absolute_path(std::string_view path, std::string_view folder) {
  if (path.starts_with('/')) return clean_path(path);
  return clean_path(std::string(folder) + '/' + std::string(path));
}

std::string_view base_name(std::string_view path) {
  if (path == "/") return path;
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string_view parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string join_path(std::string_view folder, std::string_view name) {
  std::string path;
  path.reserve(folder.size() + 1 + name.size());
  path += folder;
  if (!path.ends_with('/')) path += '/';
  return path += name;
}

}  // namespace restree
