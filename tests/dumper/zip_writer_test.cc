#include "repo/dumper/zip_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/dumper/zip_entry_mtime.h"
#include "tests/support/matchers.h"
#include "tests/support/split_mix.h"

// libarchive 3.6 keeps its compressor when an archive is given up in the middle of a file. Its frames
// are not in the stacks of what it allocates, so zlib's name stands for it.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libarchive.so\nleak:deflateInit2_\n";
}

namespace restree::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// How a zip's central directory ends: a reader that seeks looks for it first.
constexpr std::string_view kEnd("PK\5\6", 4);

struct ZipEntry {
  std::string path;
  mode_t type = 0;
  mode_t permissions = 0;
  std::int64_t mtime = 0;
  std::string target;
  std::string content;
};

// Names as UTF-8, whatever the locale in which the tests run.
class ReadingUtf8 {
 public:
  ReadingUtf8()
      : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(::uselocale(locale_)) {}
  ~ReadingUtf8() {
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  ReadingUtf8(const ReadingUtf8&) = delete;
  ReadingUtf8& operator=(const ReadingUtf8&) = delete;

 private:
  locale_t locale_;
  locale_t before_;
};

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

// Throws std::runtime_error if it is not a whole archive.
std::vector<ZipEntry> entries_of_zip(const std::string& bytes) {
  const ReadingUtf8 locale;
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                      &archive_read_free);
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    throw std::runtime_error(text_or_empty(archive_error_string(reader.get())));
  }
  std::vector<ZipEntry> all;
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(reader.get(), &entry)) >= ARCHIVE_WARN &&
         result != ARCHIVE_EOF) {
    ZipEntry& one = all.emplace_back();
    one.path = text_or_empty(archive_entry_pathname(entry));
    one.type = archive_entry_filetype(entry);
    one.permissions = archive_entry_perm(entry);
    one.mtime = mtime_of(entry);
    one.target = text_or_empty(archive_entry_symlink(entry));
    std::string part(64 << 10, '\0');
    la_ssize_t count = 0;
    while ((count = archive_read_data(reader.get(), part.data(), part.size())) > 0) {
      one.content.append(part, 0, static_cast<std::size_t>(count));
    }
    if (count < 0) throw std::runtime_error(text_or_empty(archive_error_string(reader.get())));
  }
  if (result != ARCHIVE_EOF) {
    throw std::runtime_error(text_or_empty(archive_error_string(reader.get())));
  }
  return all;
}

class ZipWriterTest : public ::testing::Test {
 protected:
  static Node node_of(NodeType type, std::string_view name) {
    Node node{};
    node.name = name;
    node.type = type;
    node.has_mode = true;
    node.permissions = type == NodeType::kDirectory ? 0755 : 0640;
    node.mtime = {.seconds = 1'700'000'000, .nanoseconds = 0};
    return node;
  }
  void add_file(const std::string& path, const std::string& content) {
    ASSERT_OK(zip_->begin(path, node_of(NodeType::kFile, path), content.size()));
    ASSERT_OK(zip_->data(as_bytes(content)));
  }
  std::vector<ZipEntry> entries() {
    EXPECT_OK(zip_->finish());
    return entries_of_zip(written_);
  }

  std::string written_;
  std::size_t calls_ = 0;
  bool fails_ = false;
  std::unique_ptr<ZipWriter> zip_ = value_of(ZipWriter::open([this](ByteView bytes) -> Status {
    ++calls_;
    if (fails_) return Error(ErrorKind::kCancelled, "nobody reads any more");
    written_ += as_text(bytes);
    return {};
  }));
};

TEST_F(ZipWriterTest, FilesFoldersAndLinksComeBack) {
  ASSERT_OK(zip_->begin("folder", node_of(NodeType::kDirectory, "folder"), 0));
  add_file("folder/empty", "");
  add_file("folder/file", "content");
  Node link = node_of(NodeType::kSymlink, "link");
  link.link_target = "folder/file";
  ASSERT_OK(zip_->begin("link", link, 0));

  const auto all = entries();
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all[0].path, "folder/");
  EXPECT_EQ(all[0].type, mode_t{S_IFDIR});
  EXPECT_EQ(all[0].permissions, 0755U);
  EXPECT_EQ(all[1].path, "folder/empty");
  EXPECT_THAT(all[1].content, IsEmpty());
  EXPECT_EQ(all[2].path, "folder/file");
  EXPECT_EQ(all[2].type, mode_t{S_IFREG});
  EXPECT_EQ(all[2].permissions, 0640U);
  EXPECT_EQ(all[2].mtime, 1'700'000'000);
  EXPECT_EQ(all[2].content, "content");
  EXPECT_EQ(all[3].type, mode_t{S_IFLNK});
  EXPECT_EQ(all[3].target, "folder/file");
}

TEST_F(ZipWriterTest, NamesInUtf8AndLongOnesAreKept) {
  const std::string deep = std::string(200, 'd') + "/" + std::string(200, 'f');
  add_file("gr\xc3\xbc\xc3\x9f", "x");
  add_file(deep, "y");
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].path, "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(all[1].path, deep);
  EXPECT_EQ(all[1].content, "y");
}

TEST_F(ZipWriterTest, ANameThatIsNotUtf8IsWrittenAsItIs) {
  add_file("caf\xe9", "x");
  ASSERT_OK(zip_->finish());
  EXPECT_THAT(written_, HasSubstr("caf\xe9"));
}

// The flags of the archive's first local header; bit 11 says that the name is UTF-8.
TEST_F(ZipWriterTest, OnlyANameThatIsUtf8IsMarkedAsSuch) {
  constexpr std::size_t kFlagsAt = 6;
  const auto is_marked = [&](const std::string& name) {
    std::string archive;
    const auto zip = value_of(ZipWriter::open([&](ByteView bytes) -> Status {
      archive += as_text(bytes);
      return {};
    }));
    EXPECT_OK(zip->begin(name, node_of(NodeType::kFile, name), 0));
    EXPECT_OK(zip->finish());
    return (static_cast<unsigned char>(archive.at(kFlagsAt + 1)) & 0x08) != 0;
  };
  EXPECT_TRUE(is_marked("caf\xc3\xa9"));
  EXPECT_FALSE(is_marked("caf\xe9"));
  EXPECT_TRUE(is_marked("\xc3\xbc"));
}

TEST_F(ZipWriterTest, AFileOfZerosIsSmallInTheArchive) {
  constexpr std::size_t kPart = 256 << 10;
  constexpr std::size_t kParts = 64;
  const std::string zeros(kPart, '\0');
  ASSERT_OK(zip_->begin("f", node_of(NodeType::kFile, "f"), kPart * kParts));
  for (std::size_t i = 0; i < kParts; ++i) ASSERT_OK(zip_->data(as_bytes(zeros)));
  const auto all = entries();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].content, std::string(kPart * kParts, '\0'));
  EXPECT_LT(written_.size(), kPart);
}

TEST_F(ZipWriterTest, WithoutFinishThereIsNoEnd) {
  add_file("f", "content");
  zip_.reset();
  EXPECT_THAT(written_, Not(HasSubstr(kEnd)));
}

TEST_F(ZipWriterTest, AnErrorOfTheOutputIsTheWritersAndTheLastCall) {
  fails_ = true;
  add_file("f", "content");  // waits in libarchive's block
  EXPECT_THAT(zip_->finish(), FailsWith(ErrorKind::kCancelled));
  const std::size_t calls = calls_;
  fails_ = false;
  zip_.reset();
  EXPECT_EQ(calls_, calls);
  EXPECT_THAT(written_, IsEmpty());
}

TEST_F(ZipWriterTest, AnOutputThatFailsEndsALongFile) {
  fails_ = true;
  constexpr std::size_t kPart = 256 << 10;
  ASSERT_OK(zip_->begin("f", node_of(NodeType::kFile, "f"), 16 * kPart));
  // Bytes that deflating does not make shorter.
  const Bytes noise = split_mix_bytes(1, kPart);
  Status status;
  for (int i = 0; i < 16 && status; ++i) status = zip_->data(noise);
  EXPECT_THAT(status, FailsWith(ErrorKind::kCancelled));
  zip_.reset();
  EXPECT_THAT(written_, Not(HasSubstr(kEnd)));
}

}  // namespace
}  // namespace restree::testing
