// The first byte is the type of the answer, the rest its body.
#include "repo/storage/sftp/sftp_packet.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const restree::ByteView body = restree::fuzz_input(data + 1, size - 1);
  const restree::sftp::Answer answer{static_cast<restree::sftp::Type>(data[0]),
                                     {body.begin(), body.end()}};
  if (const auto status = restree::sftp::parse_status(answer)) {
    restree::must(status->message.size() <= size);
    (void)restree::sftp::status_error(*status, "read");
  }
  if (const auto handle = restree::sftp::parse_handle(answer)) restree::must(handle->size() < size);
  (void)restree::sftp::parse_attributes(answer);
  if (const auto names = restree::sftp::parse_names(answer)) {
    for (const auto& name : *names) restree::must(name.name.size() < size);
  }
  (void)restree::sftp::is_plain_failure(answer);
  return 0;
}
