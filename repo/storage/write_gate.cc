#include "repo/storage/write_gate.h"

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

Status WriteGate::pass(FileType type, Deadline by) {
  if (type == FileType::kLock) return {};
  auto state = state_.lock();
  while (state->held && !state->shut) {
    const auto slice =
        Deadline::Clock::now() + by.remaining();  // never() has no moment to wait for
    moved_.wait_until(state.mutex_lock(), slice);
    if (state->held && by.expired()) {
      return Error(ErrorKind::kUnavailable, inner_->description() +
                                                ": nothing may be written until the lock on the "
                                                "repository could be refreshed");
    }
  }
  if (state->shut) return *state->shut;
  return {};
}

Status WriteGate::make_folders(Deadline by) {
  RETURN_IF_ERROR(pass(FileType::kConfig, by));
  return inner_->make_folders(by);
}

Result<std::vector<ListedFile>> WriteGate::list(FileType type, Deadline by) {
  return inner_->list(type, by);
}

Result<std::uint64_t> WriteGate::size(const FileName& file, Deadline by) {
  return inner_->size(file, by);
}

Result<Bytes> WriteGate::read(const FileName& file, ByteRange range, Deadline by) {
  return inner_->read(file, range, by);
}

Result<MutableByteView> WriteGate::read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                             Deadline by) {
  return inner_->read_into(buffer, file, range, by);
}

Result<Bytes> WriteGate::read_all(const FileName& file, Deadline by) {
  return inner_->read_all(file, by);
}

Status WriteGate::write(const FileName& file, ByteView content, Deadline by) {
  RETURN_IF_ERROR(pass(file.type, by));
  return inner_->write(file, content, by);
}

Status WriteGate::remove(const FileName& file, Deadline by) {
  RETURN_IF_ERROR(pass(file.type, by));
  return inner_->remove(file, by);
}

Result<std::size_t> WriteGate::remove_leftovers(std::chrono::system_clock::time_point time,
                                                Deadline by) {
  RETURN_IF_ERROR(pass(FileType::kPack, by));
  return inner_->remove_leftovers(time, by);
}

}  // namespace restree
