#include "repo/storage/decorators/write_gate.h"

#include <utility>

#include "repo/base/waiting.h"

namespace restree {

void WriteGate::hold() { state_.lock()->held = true; }

void WriteGate::open() {
  state_.lock()->held = false;
  moved_.notify_all();
}

void WriteGate::shut(const Error& error) {
  state_.lock()->shut = error;
  moved_.notify_all();
}

void WriteGate::look_first(Look look) { state_.lock()->look = std::move(look); }

Status WriteGate::pass(FileType type, Deadline by) {
  if (type == FileType::kLock) return {};
  auto state = state_.lock();
  if (!wait_until(moved_, state, by, [&] { return !state->held || state->shut; })) {
    return Error(ErrorKind::kUnavailable, description() +
                                              ": nothing may be written until the lock on the "
                                              "repository could be refreshed");
  }
  const std::optional<Error>& shut = state->shut;
  if (shut) return *shut;
  return {};
}

Status WriteGate::pass_with_a_look(FileType type, Deadline by) {
  RETURN_IF_ERROR(pass(type, by));
  if (type == FileType::kLock) return {};
  const Look look = state_.lock()->look;
  if (!look) return {};
  Status seen = look(by);
  if (!seen && seen.error().kind() == ErrorKind::kLocked) shut(seen.error());
  return seen;
}

// The write may have been repeated for long, or the machine has slept: then the lock may be gone, and
// with it what the snapshot needs. Such a backup must not end as a good one. That the lock cannot be
// looked for takes nothing from what is stored.
Status WriteGate::look_again(Deadline by) {
  const Look look = state_.lock()->look;
  if (!look) return {};
  Status seen = look(by);
  if (seen || seen.error().kind() != ErrorKind::kLocked) return {};
  shut(seen.error());
  return seen;
}

Status WriteGate::make_folders(Deadline by) {
  RETURN_IF_ERROR(pass(FileType::kConfig, by));
  return inner().make_folders(by);
}

Status WriteGate::write(const FileName& file, ByteView content, Deadline by) {
  RETURN_IF_ERROR(file.type == FileType::kPack ? pass(file.type, by)
                                               : pass_with_a_look(file.type, by));
  RETURN_IF_ERROR(inner().write(file, content, by));
  return file.type == FileType::kSnapshot ? look_again(by) : Status();
}

Status WriteGate::join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
                       Deadline by) {
  RETURN_IF_ERROR(pass(FileType::kPack, by));
  return inner().join(ranges, end, name, by);
}

Status WriteGate::remove(const FileName& file, Deadline by) {
  RETURN_IF_ERROR(pass_with_a_look(file.type, by));
  return inner().remove(file, by);
}

Result<std::size_t> WriteGate::remove_leftovers(const Leftovers& which, Deadline by) {
  RETURN_IF_ERROR(pass(FileType::kPack, by));
  return inner().remove_leftovers(which, by);
}

}  // namespace restree
