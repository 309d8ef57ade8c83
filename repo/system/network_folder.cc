#include "repo/system/network_folder.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include "repo/system/hanging_calls.h"

namespace restree {
namespace {

// Those that <linux/magic.h> of older kernels does not name.
constexpr std::uint32_t kCifs = 0xff534d42;
constexpr std::uint32_t kSmb2 = 0xfe534d42;
constexpr std::uint32_t kLustre = 0x0bd00bd0;
constexpr std::uint32_t kGpfs = 0x47504653;
constexpr std::uint32_t kPanfs = 0xaad7aaea;

bool needs_server(std::uint32_t type) {
  switch (type) {
    case NFS_SUPER_MAGIC:
    case kCifs:
    case kSmb2:
    case SMB_SUPER_MAGIC:
    case FUSE_SUPER_MAGIC:
    case CEPH_SUPER_MAGIC:
    case V9FS_MAGIC:
    case AFS_FS_MAGIC:
    case AFS_SUPER_MAGIC:
    case CODA_SUPER_MAGIC:
    case OCFS2_SUPER_MAGIC:
    case kLustre:
    case kGpfs:
    case kPanfs:
      return true;
    default:
      return false;
  }
}

bool lies_on_network(std::filesystem::path folder) {
  for (;;) {
    struct statfs figures {};
    if (::statfs(folder.c_str(), &figures) == 0) {
      return needs_server(static_cast<std::uint32_t>(figures.f_type));
    }
    if (errno != ENOENT || folder == folder.parent_path()) return false;
    folder = folder.parent_path();
    if (folder.empty()) folder = ".";
  }
}

}  // namespace

bool is_network_folder(const std::string& folder, std::chrono::milliseconds patience) {
  const auto look = [path = std::filesystem::path(folder)] { return lies_on_network(path); };
  HangingCalls calls(1);
  try {
    const auto call = calls.begin<bool>(look);
    return !call->is_done_by(Deadline::after(patience)) || call->answer();
  } catch (const std::system_error&) {
    return look();  // without a thread: it may hang, but the answer is right
  }
}

}  // namespace restree
