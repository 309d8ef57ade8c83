#include "repo/journal/journal_entry.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace restree {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kWroteConfig = 1;
constexpr std::size_t kIdBytes = 32;

class Writer {
 public:
  void u8(std::uint8_t value) { out_ += static_cast<char>(value); }
  void number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void u32(std::size_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  void text(std::string_view value) {
    u32(value.size());
    out_ += value;
  }
  template <class Tag>
  void id(const Id<Tag>& value) {
    out_ += as_text(value.bytes);
  }
  template <class T, class Write>
  void list(const std::vector<T>& values, const Write& write) {
    u32(values.size());
    for (const T& value : values) write(value);
  }
  template <class T, class Write>
  void optional(const std::optional<T>& value, const Write& write) {
    u8(value ? 1 : 0);
    if (value) write(*value);
  }
  void ids(const std::vector<JournalId>& values) {
    list(values, [&](const JournalId& value) { id(value); });
  }
  void texts(const std::vector<std::string>& values) {
    list(values, [&](const std::string& value) { text(value); });
  }
  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

// After the first thing that is not as it should be everything reads as zero and empty.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  bool is_whole() const { return is_right_ && rest_.empty(); }
  std::uint64_t number(std::size_t bytes) {
    if (!has(bytes)) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= static_cast<std::uint64_t>(rest_[i]) << (8 * i);
    }
    rest_ = rest_.subspan(bytes);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }
  bool flag() {
    const std::uint8_t value = u8();
    is_right_ = is_right_ && value <= 1;
    return value == 1;
  }
  std::string text() {
    const std::size_t length = u32();
    is_right_ = is_right_ && length <= kMostJournalText;
    if (!has(length)) return {};
    std::string value(as_text(rest_.first(length)));
    rest_ = rest_.subspan(length);
    return value;
  }
  template <class Tag>
  void id(Id<Tag>& into) {
    if (!has(kIdBytes)) return;
    std::memcpy(into.bytes.data(), rest_.data(), kIdBytes);
    rest_ = rest_.subspan(kIdBytes);
  }
  // `least`: the bytes that one value takes at least, so that no more are made room for than can follow.
  template <class T, class Read>
  void list(std::vector<T>& into, std::size_t least, std::size_t most, const Read& read) {
    const std::size_t count = u32();
    if (count > most || count > rest_.size() / least) is_right_ = false;
    if (!is_right_) return;
    into.resize(count);
    for (T& value : into) read(value);
  }
  template <class T, class Read>
  void optional(std::optional<T>& into, const Read& read) {
    if (flag()) read(into.emplace());
  }
  void ids(std::vector<JournalId>& into) {
    list(into, kIdBytes, SIZE_MAX, [&](JournalId& value) { id(value); });
  }
  void texts(std::vector<std::string>& into) {
    list(into, 4, kMostJournalTexts, [&](std::string& value) { value = text(); });
  }

 private:
  bool has(std::size_t bytes) {
    is_right_ = is_right_ && bytes <= rest_.size();
    return is_right_;
  }

  ByteView rest_;
  bool is_right_ = true;
};

void write_files(Writer& out, const FileChanges& files) {
  out.u8(files.listed ? 1 : 0);
  for (const auto* ids : {&files.added, &files.gone, &files.written, &files.removed}) {
    out.ids(*ids);
  }
}

void read_files(Reader& in, FileChanges& files) {
  files.listed = in.flag();
  for (auto* ids : {&files.added, &files.gone, &files.written, &files.removed}) in.ids(*ids);
}

void write_snapshot(Writer& out, const SeenSnapshot& snapshot) {
  out.id(snapshot.id);
  out.i64(snapshot.time);
  out.id(snapshot.tree);
  out.optional(snapshot.original, [&](const JournalId& id) { out.id(id); });
  out.u8(snapshot.has_parent ? 1 : 0);
  out.text(snapshot.host);
  out.texts(snapshot.tags);
  out.texts(snapshot.paths);
  out.optional(snapshot.figures, [&](const SeenFigures& figures) {
    out.i64(figures.ended);
    for (const std::uint64_t number : {figures.files, figures.files_new, figures.files_changed,
                                       figures.bytes_added, figures.bytes_packed}) {
      out.u64(number);
    }
  });
}

constexpr std::size_t kLeastSnapshotBytes = 2 * kIdBytes + 8 + 1 + 1 + 4 + 4 + 4 + 1;

void read_snapshot(Reader& in, SeenSnapshot& snapshot) {
  in.id(snapshot.id);
  snapshot.time = in.i64();
  in.id(snapshot.tree);
  in.optional(snapshot.original, [&](JournalId& id) { in.id(id); });
  snapshot.has_parent = in.flag();
  snapshot.host = in.text();
  in.texts(snapshot.tags);
  in.texts(snapshot.paths);
  in.optional(snapshot.figures, [&](SeenFigures& figures) {
    figures.ended = in.i64();
    for (std::uint64_t* number : {&figures.files, &figures.files_new, &figures.files_changed,
                                  &figures.bytes_added, &figures.bytes_packed}) {
      *number = in.u64();
    }
  });
}

void write_times(Writer& out, const FileTimes& times) {
  out.i64(times.first_seen);
  out.i64(times.unseen_until);
  out.i64(times.gone);
  out.u8(times.is_own ? 1 : 0);
}

void read_times(Reader& in, FileTimes& times) {
  times.first_seen = in.i64();
  times.unseen_until = in.i64();
  times.gone = in.i64();
  times.is_own = in.flag();
}

constexpr std::size_t kTimesBytes = 3 * 8 + 1;

}  // namespace

std::string write_journal_entry(const JournalEntry& entry) {
  Writer out;
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(entry.kind));
  out.i64(entry.time);
  out.text(entry.command);
  out.optional(entry.config, [&](const SeenConfig& config) {
    out.id(config.hash);
    out.u32(config.version);
  });
  out.optional(entry.earlier_here, [&](const RepositoryId& id) { out.id(id); });
  for (const auto* files : {&entry.keys, &entry.indexes, &entry.snapshots}) {
    write_files(out, *files);
  }
  out.list(entry.details, [&](const SeenSnapshot& one) { write_snapshot(out, one); });
  out.u8(entry.wrote_config ? kWroteConfig : 0);
  out.optional(entry.index, [&](const SeenIndex& index) {
    out.u64(index.packs);
    out.u64(index.blobs);
  });
  out.optional(entry.missing, [&](const SeenMissing& missing) {
    out.u64(missing.packs);
    out.ids(missing.snapshots);
    out.ids(missing.unreadable);
    out.list(missing.silent, [&](const SeenSilentChanges& one) {
      out.id(one.snapshot);
      out.u64(one.files);
    });
  });
  out.list(entry.times, [&](const FileTimes& times) { write_times(out, times); });
  return std::move(out).take();
}

Result<JournalEntry> parse_journal_entry(ByteView bytes) {
  Reader in(bytes);
  const std::uint8_t version = in.u8();
  if (version > kVersion) {
    return Error(ErrorKind::kUnsupported, "a later version of the program has written it");
  }
  JournalEntry entry;
  const std::uint8_t kind = in.u8();
  entry.kind = EntryKind{kind};
  entry.time = in.i64();
  entry.command = in.text();
  in.optional(entry.config, [&](SeenConfig& config) {
    in.id(config.hash);
    config.version = in.u32();
  });
  in.optional(entry.earlier_here, [&](RepositoryId& id) { in.id(id); });
  for (auto* files : {&entry.keys, &entry.indexes, &entry.snapshots}) read_files(in, *files);
  in.list(entry.details, kLeastSnapshotBytes, SIZE_MAX,
          [&](SeenSnapshot& one) { read_snapshot(in, one); });
  entry.wrote_config = in.flag();
  in.optional(entry.index, [&](SeenIndex& index) {
    index.packs = in.u64();
    index.blobs = in.u64();
  });
  in.optional(entry.missing, [&](SeenMissing& missing) {
    missing.packs = in.u64();
    in.ids(missing.snapshots);
    in.ids(missing.unreadable);
    if (version < 2) return;
    in.list(missing.silent, kIdBytes + 8, SIZE_MAX, [&](SeenSilentChanges& one) {
      in.id(one.snapshot);
      one.files = in.u64();
    });
  });
  in.list(entry.times, kTimesBytes, SIZE_MAX, [&](FileTimes& times) { read_times(in, times); });
  const bool is_known_kind = kind >= static_cast<std::uint8_t>(EntryKind::kVisit) &&
                             kind <= static_cast<std::uint8_t>(EntryKind::kFrom);
  std::size_t files = 0;
  for (const auto* each : {&entry.keys, &entry.indexes, &entry.snapshots}) {
    files += each->added.size() + each->gone.size();
  }
  const bool has_right_times = entry.times.size() == (entry.kind == EntryKind::kFrom ? files : 0);
  const bool is_right = version >= 1 && is_known_kind && has_right_times;
  if (in.is_whole() && is_right) return entry;
  return Error(ErrorKind::kCorrupt, "it is not an entry of a journal");
}

}  // namespace restree
