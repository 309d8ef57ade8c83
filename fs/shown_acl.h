// POSIX ACLs as a mount with a umask shows them: `cp -a` and `rsync -A` put an ACL back after the mode,
// so that it must not give the group and others what the umask takes from them.
//
// Format: of the attributes system.posix_acl_access and system.posix_acl_default, see acl(5) and the
// kernel's linux/posix_acl_xattr.h. Pure functions; any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace restree {

// Takes the bits of `umask` from the entries of a POSIX ACL: those of the owner, of others, and of
// the group from all entries in between. Leaves any other attribute as it is, and what is no ACL
// that the kernel would take.
void apply_umask_to_acl(std::string_view attribute, std::string& value, mode_t umask);

// With a umask, ACLs of other kinds (NFSv4) are not shown: they have no such entries.
bool is_hidden_by_umask(std::string_view attribute, mode_t umask);

}  // namespace restree
