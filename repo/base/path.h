// Paths as text, as Go's path/filepath takes them apart: nothing here looks at a file system.
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace restree {

// No "//", "." or "folder/..", no trailing slash; "." if nothing is left.
std::string clean_path(std::string_view path);

// `path` itself if it is absolute, else below `folder`; clean.
std::string absolute_path(std::string_view path, std::string_view folder);

// For clean paths. Of "/a/b" these are "b" and "/a"; of "/" both are "/".
std::string_view base_name(std::string_view path);
std::string_view parent_path(std::string_view path);
std::string join_path(std::string_view folder, std::string_view name);

}  // namespace restree
