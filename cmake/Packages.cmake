# The libraries that Restree stands on, all of them Debian 12 packages. Each is linked by the rooms
# that use it. But for libfuse's, their headers lie where every compiler looks, so that an #include
# in another room compiles: it is tests/docs/room_arrows_test.cc that refuses it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
# Only headers of these two: nothing is linked. Debian's shared fmt and spdlog change their names
# with each release, so that an installed program would no longer start after an upgrade of the system
# (repo/base/fmt_inside.cc, repo/base/log.cc).
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
pkg_check_modules(FUSE3 REQUIRED IMPORTED_TARGET fuse3>=3.14)
pkg_check_modules(LIBSSH2 REQUIRED IMPORTED_TARGET libssh2>=1.10)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)

# Counters of 64 bits are calls of libatomic on processors that cannot change so much at once.
include(CheckCXXSourceCompiles)
set(count_in_64_bits "#include <atomic>
  #include <cstdint>
  std::atomic<std::uint64_t> count;
  int main(int words, char**) { return int(count.fetch_add(std::uint64_t(words)) + count.load()); }")
check_cxx_source_compiles("${count_in_64_bits}" RESTREE_HAVE_ATOMICS)
if(NOT RESTREE_HAVE_ATOMICS)
  target_link_libraries(restree_options INTERFACE atomic)
endif()
