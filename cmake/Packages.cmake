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
# Into the program as well, if it is there as an archive: Debian 12 has libfuse3.so.3, and 13 has .4.
find_library(FUSE3_ARCHIVE libfuse3.a HINTS ${FUSE3_LIBDIR})
add_library(restree_libfuse INTERFACE)
if(FUSE3_ARCHIVE)
  target_include_directories(restree_libfuse SYSTEM INTERFACE ${FUSE3_INCLUDE_DIRS})
  target_link_libraries(restree_libfuse INTERFACE ${FUSE3_ARCHIVE} Threads::Threads ${CMAKE_DL_LIBS})
else()
  target_link_libraries(restree_libfuse INTERFACE PkgConfig::FUSE3)
endif()
pkg_check_modules(LIBSSH2 REQUIRED IMPORTED_TARGET libssh2>=1.10)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
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
