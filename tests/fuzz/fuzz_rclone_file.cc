#include "repo/storage/rclone/obscured.h"
#include "repo/storage/rclone/rclone_file.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = restree::as_text(restree::fuzz_input(data, size));
  (void)restree::revealed(text);
  const auto file = restree::RcloneFile::parse(text, "rclone.conf");
  if (!file) return 0;
  for (const std::string& section : file->sections()) {
    for (const std::string& key : file->keys(section)) {
      restree::must(file->setting(section, key) != nullptr);
    }
  }
  return 0;
}
