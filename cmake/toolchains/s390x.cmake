# IBM Z, which stores the highest byte first: cmake --preset release -B build/cross-s390x --toolchain cmake/toolchains/s390x.cmake
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(cross_architecture s390x)
set(cross_compiler s390x-linux-gnu)
set(cross_libraries s390x-linux-gnu)
set(cross_loader ld64.so.1)
set(cross_emulator qemu-s390x)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
