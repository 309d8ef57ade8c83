#include "repo/snapshots/forgotten_snapshots.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "repo/base/path.h"
#include "repo/crypto/sha256.h"
#include "repo/storage/private_file.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

constexpr std::string_view kHead = "restree forgotten 1\n";
constexpr std::size_t kIdDigits = 64;
// Snapshots of ten thousands of runs; more is not a file of ours.
constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 30;

bool is_run_name(std::string_view name) {
  constexpr std::string_view kForm = "00000000T000000.000000000Z";
  return name.size() == kForm.size() && std::ranges::equal(name, kForm, [](char c, char form) {
           return form == '0' ? c >= '0' && c <= '9' : c == form;
         });
}

// The snapshot that `rest` begins with, which is taken off; nullopt if it does not.
std::optional<ForgottenSnapshot> take_snapshot(std::string_view& rest) {
  const auto id = SnapshotId::parse(rest.substr(0, kIdDigits));
  const std::size_t line = rest.find('\n');
  if (!id || line == std::string_view::npos || rest[kIdDigits] != ' ') return std::nullopt;
  std::size_t length = 0;
  const auto [end, error] =
      std::from_chars(rest.data() + kIdDigits + 1, rest.data() + line, length);
  if (error != std::errc() || end != rest.data() + line) return std::nullopt;
  rest.remove_prefix(line + 1);
  if (length >= rest.size() || rest[length] != '\n') return std::nullopt;
  ForgottenSnapshot snapshot{*id, Bytes::copy_of(as_bytes(rest.substr(0, length)))};
  rest.remove_prefix(length + 1);
  if (sha256(snapshot.sealed) != id->bytes) return std::nullopt;
  return snapshot;
}

}  // namespace

std::string forgotten_run_name(Timestamp time) {
  // Two runs within a second differ by all nine digits, which format_timestamp() may cut.
  std::string whole = format_timestamp({time.seconds, 0});
  std::erase_if(whole, [](char c) { return c == '-' || c == ':' || c == 'Z'; });
  std::string nanoseconds = std::to_string(time.nanoseconds);
  nanoseconds.insert(0, 9 - nanoseconds.size(), '0');
  return whole + "." + nanoseconds + "Z";
}

Status write_forgotten_run(const std::string& folder, const ForgottenRun& run) {
  const std::string path = join_path(folder, run.name);
  if (run.snapshots.empty()) return remove_private_file(path);
  std::string content(kHead);
  for (const ForgottenSnapshot& one : run.snapshots) {
    content += one.id.hex() + " " + std::to_string(one.sealed.size()) + "\n";
    content += as_text(one.sealed.view());
    content += '\n';
  }
  return write_private_file(path, as_bytes(content));
}

Result<std::vector<std::string>> list_forgotten_runs(const std::string& folder) {
  const DirectoryStream stream(::opendir(folder.c_str()));
  if (!stream && errno == ENOENT) return std::vector<std::string>();
  if (!stream) return errno_error(errno, "open " + folder);
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(stream.get())) {
    if (is_run_name(entry->d_name)) names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

Result<ForgottenRun> read_forgotten_run(const std::string& folder, const std::string& name) {
  const std::string path = join_path(folder, name);
  ASSIGN_OR_RETURN(const std::string content, read_private_file(path, kMostFileBytes));
  ForgottenRun run{name, {}};
  std::string_view rest = content;
  bool is_whole = rest.starts_with(kHead);
  if (is_whole) rest.remove_prefix(kHead.size());
  while (is_whole && !rest.empty()) {
    std::optional<ForgottenSnapshot> snapshot = take_snapshot(rest);
    is_whole = snapshot.has_value();
    if (snapshot) run.snapshots.push_back(std::move(*snapshot));
  }
  if (!is_whole) return Error(ErrorKind::kCorrupt, path + " is damaged");
  return run;
}

Result<std::size_t> drop_forgotten_before(const std::string& folder, Timestamp time) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, list_forgotten_runs(folder));
  const std::string first_to_stay = forgotten_run_name(time);
  std::size_t dropped = 0;
  for (const std::string& name : names) {
    if (name >= first_to_stay) break;
    RETURN_IF_ERROR(write_forgotten_run(folder, {name, {}}));
    ++dropped;
  }
  return dropped;
}

}  // namespace restree
