#include "fs/fuse/fuse_ops.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fs/fuse/entry_replies.h"
#include "fs/fuse/reply.h"
#include "repo/base/log.h"

namespace restree {
namespace {

// Snapshots never change, so the kernel may keep their names and attributes for as long as it
// likes.
constexpr double kForEver = 1e9;

FuseContext& context_of(fuse_req_t request) {
  return *static_cast<FuseContext*>(fuse_req_userdata(request));
}

// Catches every exception of `work`, so that none reaches a C frame. If `work` has not answered the
// request, the Reply's destructor answers it with EIO.
template <class Work>
void answer(fuse_req_t request, const char* operation, const Work& work) {
  FuseContext& context = context_of(request);
  std::optional<Reply> reply;
  try {
    reply.emplace(request, context.interrupts);
  } catch (...) {
    fuse_reply_err(request, ENOMEM);  // there is no Reply yet that could do it
    return;
  }
  try {
    work(context, *reply);
  } catch (const std::exception& failure) {
    log::error("{}: {}", operation, failure.what());
  } catch (...) {
    log::error("{}: an unknown failure", operation);
  }
}

void op_init(void* userdata, fuse_conn_info* connection) {
  FuseContext& context = *static_cast<FuseContext*>(userdata);
  const auto want = [&](unsigned capability) {
    if ((connection->capable & capability) != 0) connection->want |= capability;
  };
  want(FUSE_CAP_CACHE_SYMLINKS);
  want(FUSE_CAP_PARALLEL_DIROPS);
  want(FUSE_CAP_ASYNC_READ);
  want(FUSE_CAP_READDIRPLUS);
  // Always, not only where the kernel guesses that attributes will be asked for: they cost nothing
  // once the tree is there.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS_AUTO);
  // Answers are slices of memory: splicing them would only add a pipe to each.
  connection->want &=
      ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  connection->max_background = context.background_requests;
  connection->congestion_threshold = context.background_requests * 3 / 4;
  connection->time_gran = 1;
  context.skips_open = (connection->capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0;
  context.skips_opendir = (connection->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
}

double attribute_seconds(const Mount::Found& found, const FuseContext& context) {
  if (found.momentary) return 0;
  return found.lasting ? kForEver : context.live_seconds;
}

statx_timestamp plain(const timespec& time) {
  statx_timestamp same{};
  same.tv_sec = time.tv_sec;
  same.tv_nsec = static_cast<decltype(same.tv_nsec)>(time.tv_nsec);
  return same;
}

struct statx plain(const struct stat& shown) {
  using Links = decltype(statx::stx_nlink);
  struct statx same {};
  same.stx_ino = shown.st_ino;
  same.stx_mode = static_cast<decltype(same.stx_mode)>(shown.st_mode);
  same.stx_nlink = static_cast<Links>(
      std::min<std::uint64_t>(shown.st_nlink, std::numeric_limits<Links>::max()));
  same.stx_uid = shown.st_uid;
  same.stx_gid = shown.st_gid;
  same.stx_rdev_major = major(shown.st_rdev);
  same.stx_rdev_minor = minor(shown.st_rdev);
  same.stx_size = static_cast<std::uint64_t>(shown.st_size);
  same.stx_blksize = static_cast<decltype(same.stx_blksize)>(shown.st_blksize);
  same.stx_blocks = static_cast<std::uint64_t>(shown.st_blocks);
  same.stx_atime = plain(shown.st_atim);
  same.stx_mtime = plain(shown.st_mtim);
  same.stx_ctime = plain(shown.st_ctim);
  return same;
}

ShownEntry entry_of(const Mount::Found& found, const FuseContext& context) {
  ShownEntry entry;
  entry.inode = found.inode;
  entry.attributes = plain(found.attributes);
  entry.attribute_seconds = attribute_seconds(found, context);
  entry.entry_seconds = found.lasting ? kForEver : context.live_seconds;
  if (found.by_process) entry.entry_seconds = static_cast<double>(found.shared_for.count());
  return entry;
}

void op_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, "lookup", [&](FuseContext& context, Reply& reply) {
    const auto found = context.mount.lookup(parent, name, fuse_req_ctx(request)->pid);
    if (!found) return reply.error(found.error());
    if (found->has_value()) {
      const Mount::Found& child = **found;
      if (!reply.entry(entry_of(child, context))) context.mount.forget(child.inode, 1);
      return;
    }
    if (std::strlen(name) > NAME_MAX) return reply.errno_value(ENAMETOOLONG);
    if (!context.mount.lasting_absence(parent)) return reply.errno_value(ENOENT);
    ShownEntry absent;
    absent.entry_seconds = kForEver;
    reply.entry(absent);
  });
}

// The kernel waits for no answer to these.
void op_forget(fuse_req_t request, fuse_ino_t inode, std::uint64_t count) {
  context_of(request).mount.forget(inode, count);
  fuse_reply_none(request);
}

void op_forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
  Mount& mount = context_of(request).mount;
  for (std::size_t i = 0; i < count; ++i) mount.forget(forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(request);
}

void op_getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  answer(request, "getattr", [&](FuseContext& context, Reply& reply) {
    const auto found = context.mount.attributes(inode);
    if (!found) return reply.error(found.error());
    reply.attributes(plain(found->attributes), attribute_seconds(*found, context));
  });
}

void op_readlink(fuse_req_t request, fuse_ino_t inode) {
  answer(request, "readlink", [&](FuseContext& context, Reply& reply) {
    const auto target = context.mount.link_target(inode);
    target ? reply.link(target->c_str()) : reply.error(target.error());
  });
}

// ENOSYS means to the kernel that it need not ask any more: every file may be opened, and the pages
// that were read of it stay valid. Older kernels do not know that and get a plain answer.
void op_open(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  answer(request, "open", [&](FuseContext& context, Reply& reply) {
    if (context.skips_open) return reply.errno_value(ENOSYS);
    file->keep_cache = 1;
    reply.opened(*file);
  });
}

void op_opendir(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  answer(request, "opendir", [&](FuseContext& context, Reply& reply) {
    if (context.skips_opendir) return reply.errno_value(ENOSYS);
    file->keep_cache = 1;
    file->cache_readdir = 1;
    reply.opened(*file);
  });
}

// Puts the whole content of a file into the kernel's page cache. False: the kernel does not take it.
bool store_pages(fuse_session& session, std::uint64_t inode, ByteView content) {
  fuse_bufvec buffer = FUSE_BUFVEC_INIT(content.size());
  // The kernel only reads it.
  buffer.buf[0].mem = const_cast<std::byte*>(content.data());
  return fuse_lowlevel_notify_store(&session, inode, 0, &buffer, fuse_buf_copy_flags{}) == 0;
}

void op_read(fuse_req_t request, fuse_ino_t inode, std::size_t size, off_t offset,
             fuse_file_info*) {
  answer(request, "read", [&](FuseContext& context, Reply& reply) {
    NextFiles next;
    {
      const auto slices = context.mount.read(inode, static_cast<std::uint64_t>(offset), size);
      if (!slices) return reply.error(slices.error());
      reply.data(slices->views);
      next = slices->next;
    }
    if (context.takes_files == nullptr) return;
    context.mount.give_ahead(next, [&](std::uint64_t file, ByteView content) {
      return store_pages(*context.takes_files, file, content);
    });
  });
}

// A buffer of directory entries as the kernel wants them.
class EntryBuffer final : public Mount::Listing {
 public:
  EntryBuffer(fuse_req_t request, const FuseContext& context, std::size_t size,
              bool with_attributes)
      : request_(request), context_(context), with_attributes_(with_attributes), bytes_(size) {}

  bool has_room(std::string_view name) override {
    name_.assign(name);
    const std::size_t needed =
        with_attributes_ ? fuse_add_direntry_plus(request_, nullptr, 0, name_.c_str(), nullptr, 0)
                         : fuse_add_direntry(request_, nullptr, 0, name_.c_str(), nullptr, 0);
    return needed <= bytes_.size() - used_;
  }

  void add(std::string_view, std::uint64_t inode, mode_t type,
           const std::optional<Mount::Found>& found, std::uint64_t next_offset) override {
    const auto offset = static_cast<off_t>(next_offset);
    char* const at = bytes_.data() + used_;
    const std::size_t room = bytes_.size() - used_;
    ShownEntry entry;  // inode 0: a name without attributes
    entry.attributes.stx_ino = inode;
    entry.attributes.stx_mode = static_cast<decltype(entry.attributes.stx_mode)>(type);
    if (!with_attributes_) {
      used_ += add_name(request_, at, room, name_.c_str(), entry.attributes, offset);
      return;
    }
    if (found) {
      entry = entry_of(*found, context_);
      taken_.push_back(found->inode);
    }
    used_ += add_entry(request_, at, room, name_.c_str(), entry, offset);
  }

  std::string_view bytes() const { return {bytes_.data(), used_}; }
  const std::vector<std::uint64_t>& taken() const { return taken_; }

 private:
  const fuse_req_t request_;  // only handed to libfuse, which does not look at it here
  const FuseContext& context_;
  const bool with_attributes_;
  std::vector<char> bytes_;
  std::size_t used_ = 0;
  std::string name_;
  std::vector<std::uint64_t> taken_;
};

void list(fuse_req_t request, fuse_ino_t inode, std::size_t size, off_t offset,
          bool with_attributes) {
  answer(request, "readdir", [&](FuseContext& context, Reply& reply) {
    EntryBuffer entries(request, context, size, with_attributes);
    const Status status =
        context.mount.list(inode, static_cast<std::uint64_t>(offset), with_attributes, entries);
    if (status && reply.data(entries.bytes())) return;
    // The kernel did not get the entries with these inodes.
    for (const std::uint64_t taken : entries.taken()) context.mount.forget(taken, 1);
    if (!status) reply.error(status.error());
  });
}

void op_readdir(fuse_req_t request, fuse_ino_t inode, std::size_t size, off_t offset,
                fuse_file_info*) {
  list(request, inode, size, offset, false);
}

void op_readdirplus(fuse_req_t request, fuse_ino_t inode, std::size_t size, off_t offset,
                    fuse_file_info*) {
  list(request, inode, size, offset, true);
}

void op_statfs(fuse_req_t request, fuse_ino_t) {
  answer(request, "statfs",
         [&](FuseContext& context, Reply& reply) { reply.figures(context.mount.figures()); });
}

// Both xattr calls come in two forms: size 0 asks how long the answer would be.
void reply_xattr(Reply& reply, std::string_view bytes, std::size_t size) {
  if (size == 0) return reply.xattr_size(bytes.size());
  if (bytes.size() > size) return reply.errno_value(ERANGE);
  static_cast<void>(reply.data(bytes));
}

void op_getxattr(fuse_req_t request, fuse_ino_t inode, const char* name, std::size_t size) {
  answer(request, "getxattr", [&](FuseContext& context, Reply& reply) {
    const auto value = context.mount.attribute(inode, name);
    if (!value) return reply.error(value.error());
    if (!value->has_value()) return reply.errno_value(ENODATA);
    reply_xattr(reply, **value, size);
  });
}

void op_listxattr(fuse_req_t request, fuse_ino_t inode, std::size_t size) {
  answer(request, "listxattr", [&](FuseContext& context, Reply& reply) {
    const auto names = context.mount.attribute_names(inode);
    if (!names) return reply.error(names.error());
    std::string joined;
    for (const std::string& name : *names) joined.append(name).push_back('\0');
    reply_xattr(reply, joined, size);
  });
}

void op_lseek(fuse_req_t request, fuse_ino_t inode, off_t offset, int whence, fuse_file_info*) {
  answer(request, "lseek", [&](FuseContext& context, Reply& reply) {
    if (whence != SEEK_DATA && whence != SEEK_HOLE) return reply.errno_value(EINVAL);
    if (offset < 0) return reply.errno_value(ENXIO);
    const auto found =
        context.mount.seek(inode, static_cast<std::uint64_t>(offset), whence == SEEK_DATA);
    if (!found) return reply.error(found.error());
    if (!found->has_value()) return reply.errno_value(ENXIO);
    reply.offset(static_cast<off_t>(**found));
  });
}

// The mount is read-only, so the kernel refuses these itself; this is for a mount that was
// remounted as writable.
template <class... Args>
void op_refuse(fuse_req_t request, Args...) {
  fuse_reply_err(request, EROFS);
}

}  // namespace

const fuse_lowlevel_ops& fuse_operations() {
  static const fuse_lowlevel_ops operations = [] {
    fuse_lowlevel_ops ops{};
    ops.init = op_init;
    ops.lookup = op_lookup;
    ops.forget = op_forget;
    ops.forget_multi = op_forget_multi;
    ops.getattr = op_getattr;
    ops.readlink = op_readlink;
    ops.open = op_open;
    ops.opendir = op_opendir;
    ops.read = op_read;
    ops.readdir = op_readdir;
    ops.readdirplus = op_readdirplus;
    ops.statfs = op_statfs;
    ops.getxattr = op_getxattr;
    ops.listxattr = op_listxattr;
    ops.lseek = op_lseek;
    ops.setattr = op_refuse;
    ops.mknod = op_refuse;
    ops.mkdir = op_refuse;
    ops.unlink = op_refuse;
    ops.rmdir = op_refuse;
    ops.symlink = op_refuse;
    ops.rename = op_refuse;
    ops.link = op_refuse;
    ops.write = op_refuse;
    ops.setxattr = op_refuse;
    ops.removexattr = op_refuse;
    ops.create = op_refuse;
    ops.fallocate = op_refuse;
    return ops;
  }();
  return operations;
}

}  // namespace restree
