// The settings of restreefs: from the command line, the options after -o, and the environment.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fs/mount.h"
#include "program/access.h"
#include "program/as_of.h"
#include "program/cache_settings.h"
#include "program/second_opening.h"
#include "program/ssh_settings.h"
#include "repo/base/result.h"

namespace restree {

struct RestreefsOptions {
  std::string mount_point;
  std::string source_name;  // the mount's source in the list of mounts; empty: the repository
  RepositoryAccess access;
  RepositoryAccess second = second_access();  // what is lost is read from there
  std::shared_ptr<const SecondPlace>
      second_place;               // what `second` comes to; nullptr: none is named
  bool index_from_packs = false;  // index files are not believed
  SshSettings ssh;
  CacheSettings cache;
  std::vector<std::string> warm;  // APP or APP:SNAPSHOT, to be brought into the cache
  MountOptions mount;

  bool foreground = false;
  bool announce = false;     // says on standard output when the mount is there
  std::string announced_as;  // the mount point as the user named it
  bool debug = false;
  std::string log_file;
  std::chrono::seconds refresh{30};
  std::optional<AsOf> as_of;  // only what this machine had seen by then is shown
  bool lock = false;
  std::chrono::seconds retry_lock{0};  // for how long to wait for it
  std::uint64_t upload_limit = 0;      // bytes a second; 0: none
  std::uint64_t download_limit = 0;
  // Options passed to the kernel, as by mount(8): nosuid, nodev, allow_other, …
  std::vector<std::string> kernel;
};

// How a call of restreefs ends before there is anything to mount: --help and --version have a text
// for stdout, all else is an Error.
struct ParsedCommandLine {
  std::optional<std::string> text;
  RestreefsOptions options;
};

// kInvalid: an unknown option, an invalid value, a missing argument.
Result<ParsedCommandLine> parse_command_line(int argc, const char* const* argv);

// Applies one list of options as it stands after -o: `a,b=c`, a backslash before a comma or a
// backslash makes it part of a value. Words that mount(8) and fstab add for other programs are
// accepted.
Status apply_option_list(const std::string& list, RestreefsOptions& options);

// Every option that apply_option_list knows, for the man page to be compared with.
std::vector<std::string> known_option_names();

}  // namespace restree
