# The libraries that Restree stands on, all of them Debian 12 packages. Each is linked by the rooms
# that use it. But for libfuse's, their headers lie where every compiler looks, so that an #include
# in another room compiles: it is tests/docs/room_arrows_test.cc that refuses it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(FUSE3 REQUIRED IMPORTED_TARGET fuse3>=3.14)
pkg_check_modules(LIBSSH2 REQUIRED IMPORTED_TARGET libssh2>=1.10)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
