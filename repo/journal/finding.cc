#include "repo/journal/finding.h"

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>

namespace restree {
namespace {

std::string counted(std::uint64_t count, std::string_view one, std::string_view more) {
  return fmt::format("{} {}", count, count == 1 ? one : more);
}

std::string snapshots(const Finding& finding, std::string_view is, std::string_view are) {
  const std::size_t count = finding.files.size();
  return counted(count, "snapshot", "snapshots") + " " + std::string(count == 1 ? is : are);
}

std::string snapshots_headline(const Finding& finding) {
  switch (finding.kind) {
    case FindingKind::kVanishedNewest:
      return snapshots(finding, "is", "are") +
             " gone that nobody here has removed, with the newest of a host and its paths";
    case FindingKind::kVanishedDespitePolicy:
      return snapshots(finding, "is", "are") + " gone although the policy keeps them";
    case FindingKind::kExplainedByPolicy:
      return snapshots(finding, "is", "are") + " gone, as the policy says";
    case FindingKind::kCutOffRemoval:
      return snapshots(finding, "is", "are") +
             " gone; a command of this machine was cut off while it removed some";
    case FindingKind::kRewritten:
      return snapshots(finding, "was", "were") +
             " replaced with other content, by restic or another machine";
    case FindingKind::kReturned:
      return snapshots(finding, "is", "are") + " there again that had gone";
    case FindingKind::kUnindexedSnapshots:
      return snapshots(finding, "has", "have") + " a root that no index names";
    case FindingKind::kFutureSnapshot:
      return snapshots(finding, "is", "are") + " dated in the future";
    case FindingKind::kPastSnapshot:
      return snapshots(finding, "is", "are") + " new, and dated before they can have been made";
    case FindingKind::kEmptySource:
      return snapshots(finding, "has", "have") + " no files, where the one before had some";
    case FindingKind::kFewerFiles:
      return snapshots(finding, "has", "have") + " less than half of the files of the one before";
    case FindingKind::kMostlyChanged:
      return snapshots(finding, "has", "have") + " mostly new or changed files, unlike before";
    default:
      return snapshots(finding, "is", "are") + " gone that nobody here has removed";
  }
}

}  // namespace

std::string headline_of(const Finding& finding) {
  switch (finding.kind) {
    case FindingKind::kRolledBack:
      return finding.files.empty()
                 ? "the repository went back to an earlier moment"
                 : fmt::format("the repository went back to an earlier moment, without {}",
                               counted(finding.files.size(), "newer snapshot", "newer snapshots"));
    case FindingKind::kIndexVanished:
      return counted(finding.files.size(), "index file is", "index files are") +
             " gone, and none came instead";
    case FindingKind::kIndexRewritten:
      return counted(finding.files.size(), "index file was", "index files were") +
             " replaced by restic or another machine";
    case FindingKind::kIndexShrank:
      return fmt::format("the same index files name {} blobs less than before", finding.count);
    case FindingKind::kMissingPacks:
      return counted(finding.count, "pack", "packs") + " that the index names cannot be found";
    case FindingKind::kUnreadableFiles:
      return counted(finding.files.size(), "snapshot or index file", "snapshot or index files") +
             " cannot be read";
    case FindingKind::kSilentChanges:
      return fmt::format("{} {} whose content is another one while size and time are the same",
                         snapshots(finding, "has", "have"),
                         counted(finding.count, "file", "files"));
    case FindingKind::kNewKey:
      return counted(finding.files.size(), "key is", "keys are") + " new";
    case FindingKind::kVanishedKey:
      return counted(finding.files.size(), "key is", "keys are") + " gone";
    case FindingKind::kUpgradedConfig:
      return "the config is of another version of the format";
    case FindingKind::kReplacedConfig:
      return "the config is another one";
    case FindingKind::kAnotherRepository:
      return "another repository was at this address before";
    case FindingKind::kClockWentBack:
      return "the clock of this machine went back: dates were not compared";
    default:
      return snapshots_headline(finding);
  }
}

std::string_view name_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kVanishedSnapshots:
      return "vanished-snapshots";
    case FindingKind::kVanishedNewest:
      return "vanished-newest";
    case FindingKind::kVanishedDespitePolicy:
      return "vanished-despite-policy";
    case FindingKind::kExplainedByPolicy:
      return "removed-by-policy";
    case FindingKind::kCutOffRemoval:
      return "cut-off-removal";
    case FindingKind::kRewritten:
      return "rewritten";
    case FindingKind::kReturned:
      return "returned";
    case FindingKind::kRolledBack:
      return "rolled-back";
    case FindingKind::kIndexVanished:
      return "vanished-index";
    case FindingKind::kIndexRewritten:
      return "replaced-index";
    case FindingKind::kIndexShrank:
      return "shrunk-index";
    case FindingKind::kMissingPacks:
      return "missing-packs";
    case FindingKind::kUnreadableFiles:
      return "unreadable-files";
    case FindingKind::kUnindexedSnapshots:
      return "unindexed-snapshots";
    case FindingKind::kFutureSnapshot:
      return "future-snapshot";
    case FindingKind::kPastSnapshot:
      return "past-snapshot";
    case FindingKind::kEmptySource:
      return "empty-source";
    case FindingKind::kFewerFiles:
      return "fewer-files";
    case FindingKind::kMostlyChanged:
      return "mostly-changed";
    case FindingKind::kSilentChanges:
      return "silent-changes";
    case FindingKind::kNewKey:
      return "new-key";
    case FindingKind::kVanishedKey:
      return "vanished-key";
    case FindingKind::kUpgradedConfig:
      return "upgraded-config";
    case FindingKind::kReplacedConfig:
      return "replaced-config";
    case FindingKind::kAnotherRepository:
      return "another-repository";
    case FindingKind::kClockWentBack:
      return "clock-went-back";
  }
  return "unknown";
}

Readings readings_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kVanishedSnapshots:
      return {"restic or another machine has run forget",
              "somebody removes backups, perhaps a few at a time",
              "ask who runs forget; give its --keep-… options to audit; restree snapshots"};
    case FindingKind::kVanishedNewest:
      return {
          "another machine has forgotten a host or a bad backup, or the storage was brought back",
          "somebody removes the backups that a restore would use",
          "restree check; a backup now; look for a copy of the repository or a picture of it"};
    case FindingKind::kVanishedDespitePolicy:
      return {"the machine that runs forget has another policy",
              "somebody removes backups that are to be kept",
              "compare the policies; restree snapshots; look for a copy of the repository"};
    case FindingKind::kExplainedByPolicy:
      return {"restic or another machine has run forget with this policy", "-", "nothing"};
    case FindingKind::kCutOffRemoval:
      return {"forget, tag, rewrite or prune was killed here", "-", "run that command again"};
    case FindingKind::kRewritten:
      return {"restic or another machine has run rewrite or repair snapshots",
              "somebody with the password took files out of backups",
              "ask who has run rewrite; restree diff"};
    case FindingKind::kReturned:
      return {"another machine has run forget --undo, or copied them back",
              "somebody brings old files of the repository back",
              "restree snapshots; restree check"};
    case FindingKind::kRolledBack:
      return {"the provider or an administrator has restored the storage",
              "somebody replays an old state, so that newer backups are lost",
              "restree check; restree repair index if packs are missing; then a backup"};
    case FindingKind::kIndexVanished:
      return {"another machine has pruned a repository of which little is left",
              "somebody removes what backups need to be found",
              "restree check; restree repair index"};
    case FindingKind::kIndexRewritten:
      return {"restic or another machine has run prune or repair index", "-", "nothing"};
    case FindingKind::kIndexShrank:
      return {"an index file cannot be read: the disk may be at fault",
              "somebody has damaged an index file", "restree check; restree repair index"};
    case FindingKind::kMissingPacks:
      return {"a prune was at work meanwhile", "the disk, or somebody, has removed data",
              "restree check; restree repair plan"};
    case FindingKind::kUnreadableFiles:
      return {"the disk or a transfer has damaged them",
              "somebody without the password has added files that stop other programs",
              "restree check; restree repair plan; --as-of reads without those that came later"};
    case FindingKind::kUnindexedSnapshots:
      return {"a prune or a copy was at work meanwhile",
              "somebody has replaced the index with one that names less",
              "restree check; restree repair index"};
    case FindingKind::kFutureSnapshot:
      return {"the clock of the host or of this machine is wrong",
              "somebody makes forget drop the right backups for these",
              "look at the clock of that host; restree forget the snapshots by their ids"};
    case FindingKind::kPastSnapshot:
      return {"an import, a backup with --time, or a host with a wrong clock",
              "somebody makes forget keep these in the place of the right ones",
              "ask who has made them; restree diff with their neighbours"};
    case FindingKind::kEmptySource:
      return {"the application has moved", "its disk was not mounted, or its files were removed",
              "look at the folder on that host; keep the older snapshots"};
    case FindingKind::kFewerFiles:
      return {"files have moved, or more is excluded now",
              "files were removed, or a disk was not mounted",
              "restree diff with the snapshot before; keep the older ones"};
    case FindingKind::kMostlyChanged:
      return {"a migration, or an upgrade that touches all files",
              "somebody has encrypted the files of that host",
              "restree diff with the snapshot before; open a few of the files"};
    case FindingKind::kSilentChanges:
      return {
          "a program sets the times of its files back, as encrypted containers do, or copied them",
          "somebody hides what was changed, or the disk or memory of that host has damaged files",
          "restree diff with the snapshot before; compare a few of the files"};
    case FindingKind::kNewKey:
      return {"a colleague has run key add or key passwd",
              "somebody can open the repository even after the password is changed",
              "restree key list; restree key remove what nobody knows"};
    case FindingKind::kVanishedKey:
      return {"a colleague has run key remove or key passwd",
              "somebody takes away the passwords that open the repository",
              "restree key list; restree rescue-key export"};
    case FindingKind::kUpgradedConfig:
      return {"restic or another machine has run migrate upgrade_repo_v2",
              "somebody has replaced it", "ask who has run migrate; restree check"};
    case FindingKind::kReplacedConfig:
      return {"rescue-key import or repair config has been run elsewhere",
              "somebody has replaced it", "restree check"};
    case FindingKind::kAnotherRepository:
      return {"the repository was made anew, or another disk is mounted",
              "somebody shows another repository in its place",
              "look for the old one before anything is removed; compare restree cat config"};
    case FindingKind::kClockWentBack:
      return {"the clock was set", "-", "look at the clock of this machine"};
  }
  return {"-", "-", "-"};
}

}  // namespace restree
