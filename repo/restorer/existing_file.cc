#include "repo/restorer/existing_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/crypto/sha256.h"
#include "repo/system/file_io.h"

namespace restree {

bool ExistingFile::complete() const {
  return size_matches && std::ranges::all_of(matches, [](bool match) { return match; });
}

bool ExistingFile::any() const {
  return std::ranges::any_of(matches, [](bool match) { return match; });
}

std::optional<ExistingFile> look_at_existing(const UniqueFd& folder, const std::string& name,
                                             const Node& node, const Repository& repository,
                                             bool trust_mtime, const std::stop_token& stop) {
  // Opening it must not block, even if it is a FIFO or a device.
  ExistingFile found;
  found.fd = UniqueFd(
      ::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat attributes {};
  if (!found.fd || ::fstat(found.fd.get(), &attributes) != 0 || !S_ISREG(attributes.st_mode)) {
    return std::nullopt;
  }
  found.identity = EntryIdentity::of(attributes);
  found.size_matches = static_cast<std::uint64_t>(attributes.st_size) == node.size;
  found.is_linked = attributes.st_nlink > 1;
  const Timestamp mtime{.seconds = attributes.st_mtim.tv_sec,
                        .nanoseconds = static_cast<std::uint32_t>(attributes.st_mtim.tv_nsec)};
  if (trust_mtime && found.size_matches && mtime == node.mtime) return found;

  found.matches.assign(node.content.size(), false);
  Bytes buffer;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < node.content.size() && !stop.stop_requested(); ++i) {
    const auto size = repository.size_anywhere(BlobType::kData, node.content[i]);
    if (!size) break;  // then the positions of the later blobs are not known
    if (buffer.size() < *size) buffer = Bytes(*size);
    const MutableByteView bytes = buffer.view().first(*size);
    if (!read_at(found.fd.get(), offset, bytes).is_all_of(bytes)) break;
    found.matches[i] = sha256(bytes) == node.content[i].bytes;
    offset += *size;
  }
  return found;
}

}  // namespace restree
