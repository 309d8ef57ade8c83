#include "fs/shown_acl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

namespace restree {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(posix_acl_xattr_header);
constexpr std::size_t kEntryBytes = sizeof(posix_acl_xattr_entry);
constexpr unsigned kPermissions = 7;

// Numbers are little-endian; all of these fit into the lower half.
unsigned number_at(const std::string& value, std::size_t at) {
  return static_cast<unsigned char>(value[at]) |
         (static_cast<unsigned>(static_cast<unsigned char>(value[at + 1])) << 8U);
}

unsigned taken_from(unsigned tag, mode_t umask) {
  if (tag == ACL_USER_OBJ) return (umask >> 6U) & kPermissions;
  if (tag == ACL_OTHER) return umask & kPermissions;
  return (umask >> 3U) & kPermissions;
}

}  // namespace

void apply_umask_to_acl(std::string_view attribute, std::string& value, mode_t umask) {
  if (attribute != "system.posix_acl_access" && attribute != "system.posix_acl_default") return;
  if (value.size() < kHeaderBytes || number_at(value, 0) != POSIX_ACL_XATTR_VERSION) return;
  for (std::size_t at = kHeaderBytes; at + kEntryBytes <= value.size(); at += kEntryBytes) {
    const unsigned taken = taken_from(number_at(value, at), umask);
    char& permissions = value[at + sizeof(posix_acl_xattr_entry::e_tag)];
    permissions = static_cast<char>(static_cast<unsigned char>(permissions) & ~taken);
  }
}

bool is_hidden_by_umask(std::string_view attribute, mode_t umask) {
  return umask != 0 && (attribute == "system.nfs4_acl" || attribute == "system.nfs4_dacl" ||
                        attribute == "system.richacl");
}

}  // namespace restree
