#include "tests/support/repository_files.h"

#include <system_error>

#include "repo/storage/storage.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

// Programs add and rename files meanwhile: what is gone since it was listed is left out.
std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code gone;
    if (at->is_regular_file(gone)) files.push_back(at->path());
  }
  return files;
}

}  // namespace

std::vector<fs::path> stored_in(const fs::path& repository, const std::string& folder) {
  std::vector<fs::path> files = files_of(repository / folder);
  std::erase_if(files,
                [](const fs::path& file) { return !is_repository_name(file.filename().string()); });
  return files;
}

std::uint64_t bytes_stored_in(const fs::path& repository, const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const fs::path& file : stored_in(repository, folder)) bytes += fs::file_size(file);
  return bytes;
}

std::vector<fs::path> strays_in(const fs::path& repository) {
  std::vector<fs::path> files = files_of(repository);
  std::erase_if(files, [&](const fs::path& file) {
    return is_repository_name(file.filename().string()) || file == repository / "config";
  });
  return files;
}

}  // namespace restree::testing
