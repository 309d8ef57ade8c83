# 64-bit ARM: cmake --preset release -B build/cross-arm64 --toolchain cmake/toolchains/arm64.cmake
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(cross_architecture arm64)
set(cross_compiler aarch64-linux-gnu)
set(cross_libraries aarch64-linux-gnu)
set(cross_loader ld-linux-aarch64.so.1)
set(cross_emulator qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
