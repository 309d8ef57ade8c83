#include "fs/ahead/read_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace restree {
namespace {

// The most that off_t can hold. The kernel refuses a larger file without giving a reason.
constexpr std::uint64_t kLargestFileBytes = std::numeric_limits<std::int64_t>::max();

// The layout of so many blobs is made as quickly as it is found.
constexpr std::size_t kQuicklyMadeBlobs = 32;

}  // namespace

FileLayout FileLayout::make(std::span<const BlobId> content, std::uint64_t recorded_size,
                            const BlobSize& size_of) {
  FileLayout layout;
  layout.ends_.resize(content.size());
  layout.zero_blobs_ = count_zero_blobs(content);
  std::vector<std::uint32_t> after_gap;  // sizes from the first gap on, until the file's end
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const std::optional<std::uint32_t> size = size_of(content[i]);
    if (!size) {
      if (!layout.has_gap_) layout.first_gap_ = i;
      layout.has_gap_ = true;
      layout.last_gap_ = i;
    }
    if (layout.has_gap_) {
      after_gap.push_back(size.value_or(0));
    } else {
      layout.ends_[i] = end += *size;
    }
  }
  if (!layout.has_gap_) {
    layout.size_ = end;
    return layout;
  }

  // The blobs behind the last gap are placed from the end of the file backwards.
  std::uint64_t tail = 0;
  for (std::size_t i = layout.last_gap_ + 1; i < content.size(); ++i) {
    tail += after_gap[i - layout.first_gap_];
  }
  layout.size_ = std::max(std::min(recorded_size, kLargestFileBytes), end + tail);
  std::uint64_t position = layout.size_ - tail;
  for (std::size_t i = layout.first_gap_; i < content.size(); ++i) {
    if (i > layout.last_gap_) position += after_gap[i - layout.first_gap_];
    layout.ends_[i] = position;
  }
  return layout;
}

FileLayout::Piece FileLayout::piece_at(std::uint64_t offset) const {
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), offset);
  std::size_t blob = static_cast<std::size_t>(found - ends_.begin());
  std::size_t last = blob;
  const bool in_gap = has_gap_ && blob >= first_gap_ && blob <= last_gap_;
  if (in_gap) {
    blob = first_gap_;
    last = last_gap_;
  }
  const std::uint64_t begin = blob == 0 ? 0 : ends_[blob - 1];
  // A single missing blob has a place: everything around it is known.
  return {blob, begin, ends_[last] - begin, !in_gap || first_gap_ == last_gap_};
}

FileLayouts::FileLayouts(std::size_t budget_bytes, FileLayout::BlobSize size_of, Correct correct)
    : size_of_(std::move(size_of)),
      correct_(std::move(correct)),
      remembered_(
          budget_bytes,
          [](const FileLayout& layout) { return layout.memory_bytes() + sizeof layout; },
          Keeping::kInUse) {}

FileLayout FileLayouts::make(const Node& file) const {
  FileLayout layout = FileLayout::make(file.content, file.size, size_of_);
  const bool is_odd = !layout.has_gap() && layout.size() != file.size;
  if (is_odd && correct_ && correct_(file.content)) {
    return FileLayout::make(file.content, file.size, size_of_);
  }
  return layout;
}

std::shared_ptr<const FileLayout> FileLayouts::layout_of(const BlobId& tree, std::uint32_t position,
                                                         const Node& file) {
  const auto made_now = [&] { return std::make_shared<const FileLayout>(make(file)); };
  if (file.content.size() <= kQuicklyMadeBlobs) return made_now();
  std::shared_ptr<const FileLayout> made;
  const auto found = remembered_.get(
      {tree, position}, Deadline::never(), [&]() -> Result<std::shared_ptr<const FileLayout>> {
        made = made_now();
        if (made->has_gap()) return Error(ErrorKind::kCorrupt, "the size of a blob is not known");
        return made;
      });
  if (found) return *found;
  return made != nullptr ? made : made_now();
}

const BlobId& zero_blob_id() {
  static const BlobId id =
      BlobId::parse("07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541")
          .value_or(BlobId());
  return id;
}

std::uint64_t count_zero_blobs(std::span<const BlobId> content) {
  return static_cast<std::uint64_t>(std::count(content.begin(), content.end(), zero_blob_id()));
}

}  // namespace restree
