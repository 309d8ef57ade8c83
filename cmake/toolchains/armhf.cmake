# 32-bit ARM with a floating-point unit: cmake --preset release -B build/cross-armhf --toolchain cmake/toolchains/armhf.cmake
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(cross_architecture armhf)
set(cross_compiler arm-linux-gnueabihf)
set(cross_libraries arm-linux-gnueabihf)
set(cross_loader ld-linux-armhf.so.3)
set(cross_emulator qemu-arm)
# gcc notes for each call of some templates that gcc 6 passed their arguments otherwise.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
