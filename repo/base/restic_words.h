// The words of restic 0.19.1 that scripts look for, each with where restic says them and how it
// then ends. Messages begin with these words; what Restree adds comes behind them, or on the next
// lines.
//
// {} stands for what a message names, as in fmt::format. A message that ends a command has
// "Fatal: " before it, and with --json is the `message` of an object `exit_error`, alone on its
// line. tests/e2e/restic_words_test.cc makes both programs say each of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace restree::restic_words {

enum class Stream : std::uint8_t { kOut, kError };
// kText: not with --json.
enum class Mode : std::uint8_t { kText, kTextAndJson };

struct Words {
  std::string_view text;
  Stream stream = Stream::kError;
  int exit_code = 1;
  Mode mode = Mode::kTextAndJson;
};

// --- the repository and its password ------------------------------------------------------------

inline constexpr Words kNoRepository{
    .text = "repository does not exist: unable to open config file: {}", .exit_code = 10};
inline constexpr Words kIsThereARepository{
    .text = "Is there a repository at the following location?\n{}", .exit_code = 10};
inline constexpr Words kNoLocation{
    .text = "Please specify repository location (-r or --repository-file)"};
inline constexpr Words kNoSourceLocation{
    .text = "Please specify a source repository location (--from-repo or --from-repository-file)"};
inline constexpr Words kTwoLocations{
    .text = "Options -r and --repository-file are mutually exclusive, please specify only one"};
inline constexpr Words kLocationNotParsed{.text = "parsing repository location failed"};
inline constexpr Words kWrongPassword{.text = "wrong password or no key found", .exit_code = 12};
inline constexpr Words kPasswordNotFound{.text = "Resolving password failed"};
inline constexpr Words kPasswordFileAndCommand{
    .text = "Password file and command are mutually exclusive options"};
inline constexpr Words kFileDoesNotExist{.text = "{} does not exist"};
inline constexpr Words kEmptyPassword{
    .text =
        "an empty password is not allowed by default. Pass the flag "
        "`--insecure-no-password` to restic to disable this check"};
inline constexpr Words kPasswordBesideNone{
    .text =
        "--insecure-no-password must not be specified together with providing a password via a "
        "cli option or environment variable"};
inline constexpr Words kQuietAndVerbose{
    .text = "--quiet and --verbose cannot be specified at the same time"};
inline constexpr Words kBadVariable{.text = "invalid value for {} \"{}\": {}"};
inline constexpr Words kBadCompression{
    .text = "invalid compression mode \"{}\", must be one of (auto|off|fastest|better|max)"};
inline constexpr Words kPackTooLarge{.text = "pack size larger than limit of {} MiB"};
inline constexpr Words kPackTooSmall{.text = "pack size smaller than minimum of {} MiB"};
inline constexpr Words kSourceWithoutUse{
    .text = "Secondary repository must only be specified when copying the chunker parameters"};
inline constexpr Words kTwoSources{
    .text = "Option groups repo2 and from-repo are mutually exclusive, please specify only one"};
inline constexpr Words kNoSuchVersion{.text =
                                          "only repository versions between {} and {} are allowed"};

// --- keys ---------------------------------------------------------------------------------------

// With --json too, as text.
inline constexpr Words kKeySaved{
    .text = "saved new key with ID {}", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kKeySavedAs{.text = "saved new key as <Key of {}@{}, created on {}>",
                                   .stream = Stream::kOut,
                                   .exit_code = 0};
inline constexpr Words kKeyInUse{.text =
                                     "refusing to remove key currently used to access repository"};
inline constexpr Words kOneKeyWanted{.text = "key remove expects one argument as the key id"};
inline constexpr Words kTwoNewPasswords{
    .text = "only either --new-password-file or --new-insecure-no-password may be specified"};
inline constexpr Words kEmptyNewPassword{
    .text =
        "an empty password is not allowed by default. Pass the flag "
        "`--new-insecure-no-password` to restic to disable this check"};

// --- locks --------------------------------------------------------------------------------------

inline constexpr Words kLockedBy{
    .text =
        "unable to create lock in backend: repository is already locked {}by PID {} on {} by {} "
        "(UID {}, GID {})",
    .exit_code = 11};
inline constexpr Words kLockCreated{.text = "lock was created at {} ({} ago)", .exit_code = 11};
inline constexpr Words kLockStorageId{.text = "storage ID {}", .exit_code = 11};
inline constexpr Words kUnlockRemoves{
    .text = "the `unlock` command can be used to remove stale locks", .exit_code = 11};
inline constexpr Words kWaitingForLock{.text = "repo already locked, waiting up to {} for the lock",
                                       .stream = Stream::kOut,
                                       .exit_code = 11,
                                       .mode = Mode::kText};

// --- snapshots ----------------------------------------------------------------------------------

// Of restore and dump.
inline constexpr Words kFailedToFindSnapshot{.text = "failed to find snapshot"};
// Of cat.
inline constexpr Words kCouldNotFindSnapshot{.text = "could not find snapshot"};
inline constexpr Words kNoMatchingId{.text = "no matching ID found for prefix \"{}\""};
inline constexpr Words kNoSnapshotFound{.text = "snapshot filter ({}): no snapshot found"};
inline constexpr Words kIgnoring{.text = "Ignoring \"{}\": {}", .exit_code = 0};
inline constexpr Words kNotInSnapshot{.text =
                                          "cannot dump file: path \"{}\" not found in snapshot"};

// Of copy, rewrite and repair snapshots, before what they do with it. With --json too, as text.
inline constexpr Words kSnapshotLine{
    .text = "snapshot {} of [{}] at {} by {}@{}", .stream = Stream::kOut, .exit_code = 0};

// --- copy ---------------------------------------------------------------------------------------

// With --json too, as text. Those of a copy that is made are compared in tests/e2e/copy_test.cc, as no
// second call says them again.
inline constexpr Words kCopyStarted{
    .text = "  copy started, this may take a while...", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kAlreadyCopied{
    .text = "skipping source snapshot {}, was already copied to snapshot {}",
    .stream = Stream::kOut,
    .exit_code = 0};
inline constexpr Words kSnapshotCopied{.text = "snapshot {} saved, copied from source snapshot {}",
                                       .stream = Stream::kOut,
                                       .exit_code = 0};

// --- rewrite, repair snapshots ------------------------------------------------------------------

inline constexpr Words kNothingToRewrite{
    .text = "Nothing to do: no excludes/includes provided and no new metadata provided"};
inline constexpr Words kExcludesAndIncludes{
    .text = "exclude and include patterns are mutually exclusive"};
inline constexpr Words kNotRewritten{.text = "unable to rewrite snapshot ID \"{}\""};
// With --json too, as text. Those of a run that changes something are compared in
// tests/e2e/rewrite_test.cc, as no second call says them again.
inline constexpr Words kExclusiveLock{
    .text = "create exclusive lock for repository", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kWouldSave{
    .text = "would save new snapshot", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kWouldRemove{
    .text = "would remove old snapshot", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kWouldSetTime{
    .text = "would set time to {}", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kWouldSetHost{
    .text = "would set hostname to {}", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kNoneModified{
    .text = "no snapshots were modified", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kWouldModify{
    .text = "would modify {} snapshots", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kWouldModifyNone{
    .text = "no snapshots would be modified", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kSnapshotSaved{
    .text = "saved new snapshot {}", .stream = Stream::kOut, .exit_code = 0};

// --- recover ------------------------------------------------------------------------------------

// With --json too, as text, and with -q.
inline constexpr Words kRootsFound{
    .text = "found {} unreferenced roots", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kNoSnapshotToWrite{
    .text = "no snapshot to write.", .stream = Stream::kOut, .exit_code = 0};

// --- damage -------------------------------------------------------------------------------------

inline constexpr Words kFailedToLoadSnapshot{.text = "failed to load snapshot {}"};
inline constexpr Words kErrorForTree{.text = "error for tree {}:"};
inline constexpr Words kNotAuthentic{.text = "ciphertext verification failed"};
inline constexpr Words kPackDoesNotExist{.text = "pack {}: does not exist"};
inline constexpr Words kErrorLoadingIndex{.text = "error loading index {}"};
inline constexpr Words kIndexDamaged{.text =
                                         "The repository index is damaged and must be repaired."};
inline constexpr Words kPacksDamaged{.text = "The repository contains damaged pack files."};
inline constexpr Words kRepositoryDamaged{.text =
                                              "The repository is damaged and must be repaired."};
inline constexpr Words kContainsErrors{.text = "repository contains errors"};
inline constexpr Words kNoErrors{
    .text = "no errors were found", .stream = Stream::kOut, .exit_code = 0, .mode = Mode::kText};
inline constexpr Words kReadDataTwice{
    .text = "check flags --read-data and --read-data-subset cannot be used together"};
inline constexpr Words kBadSubset{
    .text = "check flag --read-data-subset has invalid value, please see documentation"};
inline constexpr Words kBadSubsetGroup{
    .text =
        "check flag --read-data-subset=n/t values must be positive integers, and n <= t, e.g. "
        "--read-data-subset=1/2"};
inline constexpr Words kTooManySubsets{
    .text = "check flag --read-data-subset=n/t t must be at most {}"};
inline constexpr Words kBadSubsetPercentage{
    .text = "check flag --read-data-subset=x% x must be above 0.0% and at most 100.0%"};

// --- repair packs -------------------------------------------------------------------------------

// With --json too, as text. Those of a repair that is made are compared in tests/e2e/repair_test.cc, as
// no second call says them again.
inline constexpr Words kNoIds{.text = "no ids specified"};
inline constexpr Words kBadIdLength{.text = "invalid length for ID: \"{}\""};
inline constexpr Words kSavingPackCopies{
    .text = "saving backup copies of pack files to current folder",
    .stream = Stream::kOut,
    .exit_code = 0};
inline constexpr Words kSalvaging{.text = "salvaging intact data from specified pack files",
                                  .stream = Stream::kOut,
                                  .exit_code = 0};
inline constexpr Words kBlobNotLoaded{.text = "failed to load blob {}: {}", .exit_code = 0};
inline constexpr Words kRemovingSalvaged{
    .text = "removing salvaged pack files", .stream = Stream::kOut, .exit_code = 0};
inline constexpr Words kRepairSnapshotsNext{
    .text =
        "Use `{} repair snapshots --forget` to remove the corrupted data blobs from all "
        "snapshots",
    .exit_code = 0};

// --- backup -------------------------------------------------------------------------------------

inline constexpr Words kOpenRepository{
    .text = "open repository", .stream = Stream::kOut, .exit_code = 0, .mode = Mode::kText};
inline constexpr Words kUsingParent{.text = "using parent snapshot {}",
                                    .stream = Stream::kOut,
                                    .exit_code = 0,
                                    .mode = Mode::kText};
inline constexpr Words kNoParent{.text = "no parent snapshot found, will read all files",
                                 .stream = Stream::kOut,
                                 .exit_code = 0,
                                 .mode = Mode::kText};
inline constexpr Words kLoadIndex{
    .text = "load index files", .stream = Stream::kOut, .exit_code = 0, .mode = Mode::kText};
inline constexpr Words kStartScan{
    .text = "start scan on [{}]", .stream = Stream::kOut, .exit_code = 0, .mode = Mode::kText};
inline constexpr Words kStartBackup{
    .text = "start backup on [{}]", .stream = Stream::kOut, .exit_code = 0, .mode = Mode::kText};
inline constexpr Words kReadInput{
    .text = "read data from stdin", .stream = Stream::kOut, .exit_code = 0, .mode = Mode::kText};
inline constexpr Words kNothingToBackUp{.text =
                                            "nothing to backup, please specify source files/dirs"};
inline constexpr Words kNoSources{.text = "all source directories/files do not exist"};
inline constexpr Words kSourceMissing{.text = "{} does not exist, skipping"};
inline constexpr Words kIncomplete{.text = "Warning: at least one source file could not be read",
                                   .exit_code = 3};
inline constexpr Words kStdinAndTargets{
    .text = "--stdin was specified and files/dirs were listed as arguments"};
inline constexpr Words kStdinAndList{.text = "--stdin and {} cannot be used together"};
inline constexpr Words kNoCommand{.text = "no command was specified as argument"};
inline constexpr Words kBadTime{.text = "error in time option: {}"};
inline constexpr Words kSnapshotNotSaved{.text = "unable to save snapshot"};

// All of them, for the test.
inline constexpr std::array kAll{&kNoRepository,
                                 &kIsThereARepository,
                                 &kNoLocation,
                                 &kNoSourceLocation,
                                 &kTwoLocations,
                                 &kLocationNotParsed,
                                 &kWrongPassword,
                                 &kPasswordNotFound,
                                 &kPasswordFileAndCommand,
                                 &kFileDoesNotExist,
                                 &kEmptyPassword,
                                 &kPasswordBesideNone,
                                 &kQuietAndVerbose,
                                 &kBadVariable,
                                 &kBadCompression,
                                 &kPackTooLarge,
                                 &kPackTooSmall,
                                 &kSourceWithoutUse,
                                 &kTwoSources,
                                 &kNoSuchVersion,
                                 &kKeySaved,
                                 &kKeySavedAs,
                                 &kKeyInUse,
                                 &kOneKeyWanted,
                                 &kTwoNewPasswords,
                                 &kEmptyNewPassword,
                                 &kLockedBy,
                                 &kLockCreated,
                                 &kLockStorageId,
                                 &kUnlockRemoves,
                                 &kWaitingForLock,
                                 &kFailedToFindSnapshot,
                                 &kCouldNotFindSnapshot,
                                 &kNoMatchingId,
                                 &kNoSnapshotFound,
                                 &kIgnoring,
                                 &kNotInSnapshot,
                                 &kSnapshotLine,
                                 &kAlreadyCopied,
                                 &kNothingToRewrite,
                                 &kExcludesAndIncludes,
                                 &kNotRewritten,
                                 &kExclusiveLock,
                                 &kWouldSave,
                                 &kWouldRemove,
                                 &kWouldSetTime,
                                 &kWouldSetHost,
                                 &kNoneModified,
                                 &kWouldModify,
                                 &kWouldModifyNone,
                                 &kRootsFound,
                                 &kNoSnapshotToWrite,
                                 &kFailedToLoadSnapshot,
                                 &kErrorForTree,
                                 &kNotAuthentic,
                                 &kPackDoesNotExist,
                                 &kErrorLoadingIndex,
                                 &kIndexDamaged,
                                 &kPacksDamaged,
                                 &kRepositoryDamaged,
                                 &kContainsErrors,
                                 &kNoErrors,
                                 &kReadDataTwice,
                                 &kBadSubset,
                                 &kBadSubsetGroup,
                                 &kTooManySubsets,
                                 &kBadSubsetPercentage,
                                 &kNoIds,
                                 &kBadIdLength,
                                 &kOpenRepository,
                                 &kUsingParent,
                                 &kNoParent,
                                 &kLoadIndex,
                                 &kStartScan,
                                 &kStartBackup,
                                 &kReadInput,
                                 &kNothingToBackUp,
                                 &kNoSources,
                                 &kSourceMissing,
                                 &kIncomplete,
                                 &kStdinAndTargets,
                                 &kStdinAndList,
                                 &kNoCommand,
                                 &kBadTime,
                                 &kSnapshotNotSaved};

}  // namespace restree::restic_words
