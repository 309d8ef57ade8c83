#include "fs/restreefs/option_help.h"

#include <fmt/core.h>

#include <array>

namespace restree {
namespace {

constexpr std::array kRepository = {
    OptionHelp{"repository_file", "FILE", "a file that holds the repository's location"},
    OptionHelp{"password_file", "FILE", "a file that holds the password"},
    OptionHelp{"password_command", "COMMAND", "a command that prints the password"},
    OptionHelp{"insecure_no_password", "", "the repository has no password"},
    OptionHelp{"key_hint", "ID", "the key file to try first"},
    OptionHelp{"rescue_key", "FILE", "what opens it if its key files or config are lost"},
    OptionHelp{"second", "REPOSITORY", "where to read what is lost or damaged here"},
    OptionHelp{"second_password_file", "FILE", "a file that holds its password"},
    OptionHelp{"second_password_command", "COMMAND", "a command that prints it"},
    OptionHelp{"second_key_hint", "ID", "its key file to try first"},
    OptionHelp{"second_insecure_no_password", "", "it has no password"},
    OptionHelp{"index", "WHAT", "packs: find data by the headers of packs, without index files"},
    OptionHelp{"lock", "", "hold a shared lock on the repository"},
    OptionHelp{"retry_lock", "SECONDS", "with lock: how long to wait for it"},
};

constexpr std::array kShown = {
    OptionHelp{"host", "NAME", "only snapshots of this host"},
    OptionHelp{"tag", "TAG", "only snapshots with this tag"},
    OptionHelp{"path", "PATH", "only snapshots of this absolute path"},
    OptionHelp{"path_template", "TEXT", "show snapshots under such paths: hosts/%h/%T"},
    OptionHelp{"as_of", "TIME", "only what this machine had seen by then, 2006-01-02 15:04"},
    OptionHelp{"time_template", "FORMAT", "how times are written, as for strftime(3)"},
    OptionHelp{"refresh", "SECONDS", "how often to look for new snapshots (30)"},
    OptionHelp{"uid", "NUMBER", "show everything as owned by this user"},
    OptionHelp{"gid", "NUMBER", "show everything as owned by this group"},
    OptionHelp{"umask", "OCTAL", "mode bits that are not shown"},
};

constexpr std::array kBehaviour = {
    OptionHelp{"memory", "SIZE", "how much decoded data to keep (64M)"},
    OptionHelp{"timeout", "SECONDS", "after how long a read without an answer fails (60)"},
    OptionHelp{"limit_download", "KIB", "how much to read in a second at most"},
    OptionHelp{"limit_upload", "KIB", "how much to write in a second at most"},
    OptionHelp{"log_file", "FILE", "where log lines go"},
    OptionHelp{"announce", "", "say on standard output when the mount is there"},
    OptionHelp{"debug", "", "the same as -d"},
};

constexpr std::array kCache = {
    OptionHelp{"cache_dir", "FOLDER", "the folder for caches"},
    OptionHelp{"cache_size", "SIZE", "the most that the cache takes (10G)"},
    OptionHelp{"cache_min_free", "SIZE", "what the cache leaves free, or NUMBER% (10%)"},
    OptionHelp{"no_cache", "", "keep nothing on the disk"},
    OptionHelp{"warm", "APP", "bring a snapshot into the cache, APP or APP:SNAPSHOT"},
};

constexpr std::array kSftp = {
    OptionHelp{"ssh_user", "NAME", "the user to log in as"},
    OptionHelp{"ssh_port", "NUMBER", "the server's port"},
    OptionHelp{"ssh_key", "FILE", "a private key"},
    OptionHelp{"ssh_known_hosts", "FILE", "the file with the server's public key"},
    OptionHelp{"ssh_config", "FILE", "instead of ~/.ssh/config"},
    OptionHelp{"ssh_password_file", "FILE", "a file that holds the login's password"},
    OptionHelp{"ssh_password_command", "COMMAND", "a command that prints it"},
    OptionHelp{"ssh_passphrase_file", "FILE", "a file that holds the key's passphrase"},
    OptionHelp{"ssh_passphrase_command", "COMMAND", "a command that prints it"},
    OptionHelp{"no_ssh_agent", "", "do not ask the agent for keys"},
    OptionHelp{"ssh_command", "COMMAND", "run this, such as ssh, for each connection"},
    OptionHelp{"connections", "NUMBER", "how many to open at most (4)"},
    OptionHelp{"connect_timeout", "SECONDS", "how long a login may take (15)"},
    OptionHelp{"silence_timeout", "SECONDS", "when a silent connection is replaced (15)"},
};

constexpr std::array kKernel = {
    OptionHelp{"allow_other", "", "other users may enter"},
    OptionHelp{"allow_root", "", "root may enter"},
    OptionHelp{"default_permissions", "", "the kernel compares owners and modes"},
    OptionHelp{"no_default_permissions", "", "not even with allow_other"},
    OptionHelp{"nosuid", "", "setuid programs have no effect (default)"},
    OptionHelp{"suid", "", "they have"},
    OptionHelp{"nodev", "", "devices have no effect (default)"},
    OptionHelp{"dev", "", "they have"},
    OptionHelp{"noexec", "", "programs cannot be run"},
    OptionHelp{"exec", "", "they can (default)"},
    OptionHelp{"fsname", "TEXT", "the source in the list of mounts"},
};

// Not worth a line each.
constexpr std::string_view kOthers =
    "sync, async, dirsync, atime and noatime go to the kernel. Other options that\n"
    "mount(8) and fstab(5) know are accepted and have no effect here.\n";

constexpr std::array kGroups = {
    OptionHelpGroup{"Repository and password", kRepository},
    OptionHelpGroup{"What is shown", kShown},
    OptionHelpGroup{"Behaviour", kBehaviour},
    OptionHelpGroup{"Cache", kCache},
    OptionHelpGroup{"SFTP", kSftp},
    OptionHelpGroup{"Kernel", kKernel},
};

constexpr std::string_view kUsage =
    "restreefs: shows a restic repository as a file system.\n"
    "\n"
    "Usage: restreefs REPOSITORY MOUNTPOINT [-f] [-d] [-o option,…]\n"
    "       restreefs MOUNTPOINT …            with RESTIC_REPOSITORY set\n"
    "\n"
    "REPOSITORY is written as restic writes it: /path, sftp:user@host:path,\n"
    "sftp://user@host:port//path.\n"
    "\n"
    "  -f         stay in the foreground\n"
    "  -d         log every request; implies -f\n"
    "  -o LIST    options, separated by commas\n"
    "  -h, --help, -V, --version\n"
    "\n"
    "Unmount with `fusermount3 -u MOUNTPOINT`, or as root with `umount MOUNTPOINT`.\n"
    "\n"
    "Options after -o, which restreefs(8) explains:\n";

}  // namespace

std::span<const OptionHelpGroup> option_help() { return kGroups; }

std::string help_text() {
  std::string text(kUsage);
  for (const OptionHelpGroup& group : option_help()) {
    text += fmt::format("\n{}\n", group.title);
    for (const OptionHelp& option : group.options) {
      std::string spelled(option.name);
      if (!option.value.empty()) spelled += fmt::format("={}", option.value);
      text += fmt::format("  {:<28} {}\n", spelled, option.text);
    }
  }
  text += "\n";
  text += kOthers;
  return text;
}

}  // namespace restree
