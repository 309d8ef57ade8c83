#include "repo/dumper/zip_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include "repo/dumper/zip_entry_time.h"
#include "repo/text/utf8.h"

namespace restree {
namespace {

constexpr const char* kUtf8 = "C.UTF-8";

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

// libarchive asks the locale for the encoding of names, and marks names as UTF-8 if it is that: here
// it is what the names are in, whatever the user's locale is.
class InEncoding {
 public:
  explicit InEncoding(const char* locale)
      : locale_(::newlocale(LC_CTYPE_MASK, locale, nullptr)),
        before_(locale_ == nullptr ? nullptr : ::uselocale(locale_)) {}
  ~InEncoding() {
    if (locale_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  InEncoding(const InEncoding&) = delete;
  InEncoding& operator=(const InEncoding&) = delete;

 private:
  locale_t locale_;
  locale_t before_;
};

// A name in other bytes is written as it is, and must not be marked as UTF-8: programs would refuse
// the whole archive.
const char* locale_for(std::string_view name) {
  while (!name.empty()) {
    const std::size_t length = decode_utf8(name).length;
    if (length == 0) return "C";
    name.remove_prefix(length);
  }
  return kUtf8;
}

mode_t file_type(NodeType type) {
  if (type == NodeType::kDirectory) return S_IFDIR;
  return type == NodeType::kSymlink ? S_IFLNK : S_IFREG;
}

}  // namespace

struct ZipWriter::State {
  // Called by libarchive, in C.
  static la_ssize_t write(struct archive* writer, void* self, const void* bytes, std::size_t size) {
    State& state = *static_cast<State*>(self);
    Status written = state.output({static_cast<const std::byte*>(bytes), size});
    if (written) return static_cast<la_ssize_t>(size);
    state.failure = std::move(written).error();
    archive_set_error(writer, EIO, "%s", state.failure->message().c_str());
    return -1;
  }

  // The error of the call that has just failed.
  Error error() const {
    if (failure) return *failure;
    const char* const text = archive_error_string(writer.get());
    return {ErrorKind::kLocalIo, text == nullptr ? "libarchive failed" : text};
  }

  std::unique_ptr<struct archive, Free> writer;
  ByteOutput output;
  std::optional<Error> failure;
};

void ZipWriter::Free::operator()(struct archive* writer) const { archive_write_free(writer); }

ZipWriter::ZipWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

// Otherwise libarchive would end an unfinished archive as if it were complete.
ZipWriter::~ZipWriter() {
  if (state_->writer) archive_write_fail(state_->writer.get());
}

Result<std::unique_ptr<ZipWriter>> ZipWriter::open(ByteOutput output) {
  const InEncoding locale(kUtf8);
  auto state = std::make_unique<State>();
  state->writer.reset(archive_write_new());
  state->output = std::move(output);
  struct archive* const writer = state->writer.get();
  if (writer == nullptr) return Error(ErrorKind::kLocalIo, "no memory for an archive");
  const int made = archive_write_set_format_zip(writer);
  // Nothing is kept back for long, and there is no padding at the end.
  archive_write_set_bytes_per_block(writer, 256 << 10);
  archive_write_set_bytes_in_last_block(writer, 1);
  if (made != ARCHIVE_OK ||
      archive_write_open(writer, state.get(), nullptr, &State::write, nullptr) != ARCHIVE_OK) {
    return state->error();
  }
  return std::unique_ptr<ZipWriter>(new ZipWriter(std::move(state)));
}

Status ZipWriter::begin(const std::string& path, const Node& node, std::uint64_t size) {
  const InEncoding locale(locale_for(path));
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  if (!entry) return Error(ErrorKind::kLocalIo, "no memory for an archive's entry");
  const bool is_folder = node.type == NodeType::kDirectory;
  archive_entry_copy_pathname(entry.get(), (is_folder ? path + "/" : path).c_str());
  archive_entry_set_filetype(entry.get(), file_type(node.type));
  archive_entry_set_perm(entry.get(), node.permissions);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  set_time(entry.get(), node.mtime);
  if (node.type == NodeType::kSymlink) {
    archive_entry_copy_symlink(entry.get(), std::string(node.link_target).c_str());
  }
  // A warning says that a name is not UTF-8: it is written as it is.
  if (archive_write_header(state_->writer.get(), entry.get()) < ARCHIVE_WARN) {
    return state_->error().with("archive " + path);
  }
  return {};
}

Status ZipWriter::data(ByteView bytes) {
  while (!bytes.empty()) {
    const la_ssize_t count = archive_write_data(state_->writer.get(), bytes.data(), bytes.size());
    if (count <= 0) return state_->error();
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Status ZipWriter::finish() {
  const InEncoding locale(kUtf8);
  if (archive_write_close(state_->writer.get()) != ARCHIVE_OK) return state_->error();
  return {};
}

}  // namespace restree
