// A storage that puts files together by itself, as some servers do, and does it wrongly where a test says so.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree::testing {

class JoiningStorage final : public ForwardingStorage {
 public:
  // Changes what has been put together before it is read.
  using Spoil = std::function<void(std::string& content)>;

  explicit JoiningStorage(std::shared_ptr<Storage> inner) : ForwardingStorage(std::move(inner)) {}

  // Every join fails with it before anything is read; nullopt: none does.
  void fail_with(std::optional<ErrorKind> kind) { state_.lock()->failure = kind; }
  void spoil(Spoil spoil) { state_.lock()->spoil = std::move(spoil); }

  struct Figures {
    std::size_t asked = 0;
    std::vector<FileName> joined;  // with success
    std::uint64_t ranges = 0;      // of those
    std::uint64_t sent_bytes = 0;  // what came with the calls, and what was written otherwise
  };
  Figures figures() const { return state_.lock()->figures; }

  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override {
    State now;
    {
      auto state = state_.lock();
      ++state->figures.asked;
      now = *state;
    }
    if (now.failure) return Error(*now.failure, "not put together");
    std::string content;
    for (const FileRange& each : ranges) {
      ASSIGN_OR_RETURN(const Bytes bytes, inner().read(each.file, each.range, by));
      content += as_text(bytes);
    }
    content += as_text(end);
    if (now.spoil) now.spoil(content);
    const ReadJoined read = [&](Bytes& buffer, ByteRange range) -> Result<MutableByteView> {
      if (range.offset > content.size() || range.length > content.size() - range.offset) {
        return Error(ErrorKind::kCorrupt, "the end of the file");
      }
      buffer = Bytes::copy_of(
          as_bytes(content).subspan(memory_size(range.offset), memory_size(range.length)));
      return buffer.view();
    };
    ASSIGN_OR_RETURN(const FileName file, name(read));
    RETURN_IF_ERROR(inner().write(file, as_bytes(content), by));
    auto state = state_.lock();
    state->figures.joined.push_back(file);
    state->figures.ranges += ranges.size();
    state->figures.sent_bytes += end.size();
    return {};
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    if (file.type == FileType::kPack) state_.lock()->figures.sent_bytes += content.size();
    return inner().write(file, content, by);
  }

 private:
  struct State {
    std::optional<ErrorKind> failure;
    Spoil spoil;
    Figures figures;
  };

  Guarded<State> state_;
};

}  // namespace restree::testing
