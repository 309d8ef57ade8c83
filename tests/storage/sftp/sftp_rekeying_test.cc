// The storage contract over a connection whose keys are exchanged anew every 256 KiB. A program of
// its own, because of the leak that it lets pass:
#include "tests/storage/sftp/over_sftp.h"

// libssh2 1.10 forgets the host key that it was shown before, 51 bytes, whenever keys are exchanged
// anew. The frames of libssh2 are all that LeakSanitizer can name. Other tests of SFTP, which
// suppress nothing of libssh2, check that sessions are freed.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libssh2.so\n"; }

namespace restree::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Sftp, StorageContract,
                         ::testing::Values(over_sftp("ConstantRekeying",
                                                     {.config = {"RekeyLimit 256K"}})),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace restree::testing
