// A Storage that passes every call on to another one: the base of all decorators and test doubles.
//
// A decorator overrides what it changes. Since Storage itself has no defaults, a function that is
// added to it later must be passed on here, and no decorator can forget it.
//
// Ownership: shares the storage that it decorates.
// Threads, limits, errors: those of that storage.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "repo/storage/storage.h"

namespace restree {

class ForwardingStorage : public Storage {
 public:
  explicit ForwardingStorage(std::shared_ptr<Storage> inner) : inner_(std::move(inner)) {}

  Status reach(Deadline by) override { return inner_->reach(by); }
  Status make_folders(Deadline by) override { return inner_->make_folders(by); }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    return inner_->list(type, by);
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    return inner_->size(file, by);
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    return inner_->read(file, range, by);
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    return inner_->read_into(buffer, file, range, by);
  }
  void expect(const FileName& file, ByteRange range) override { inner_->expect(file, range); }
  ReadHabit read_habit() const override { return inner_->read_habit(); }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    return inner_->read_all(file, by);
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    return inner_->write(file, content, by);
  }
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override {
    return inner_->join(ranges, end, name, by);
  }
  Status remove(const FileName& file, Deadline by) override { return inner_->remove(file, by); }
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override {
    return inner_->remove_leftovers(which, by);
  }
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override {
    return inner_->free_bytes(by);
  }
  std::string description() const override { return inner_->description(); }

 protected:
  Storage& inner() const { return *inner_; }

 private:
  const std::shared_ptr<Storage> inner_;
};

}  // namespace restree
