# 32-bit x86: cmake --preset release -B build/cross-i386 --toolchain cmake/toolchains/i386.cmake
set(CMAKE_SYSTEM_PROCESSOR i686)
set(cross_architecture i386)
set(cross_compiler i686-linux-gnu)
set(cross_libraries i386-linux-gnu)
set(cross_loader ld-linux.so.2)
set(cross_emulator "")  # every x86 processor runs it
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
