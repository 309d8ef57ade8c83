# What the toolchain files beside it share. Before they include it they set:
#
#   CMAKE_SYSTEM_PROCESSOR   what `uname -m` says there
#   cross_architecture       Debian's name of it, such as arm64
#   cross_compiler           the prefix of Debian's cross compiler, such as aarch64-linux-gnu
#   cross_libraries          the folder of that architecture's libraries below /usr/lib
#   cross_loader             the file in /lib that loads programs there
#   cross_emulator           the program of qemu-user that runs what is built; empty if none is needed
#
# The libraries are Debian's own of that architecture, unpacked into a folder: `tools/packages cross-arm64`
# fills build/sysroot-arm64. RESTREE_SYSROOT names another folder.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER ${cross_compiler}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${cross_libraries})

set(RESTREE_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../../build/sysroot-${cross_architecture} CACHE PATH
  "The libraries of the other processor")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES RESTREE_SYSROOT)
cmake_path(ABSOLUTE_PATH RESTREE_SYSROOT NORMALIZE OUTPUT_VARIABLE CMAKE_SYSROOT)
if(NOT EXISTS ${CMAKE_SYSROOT}/usr)
  message(FATAL_ERROR "There are no libraries for ${cross_architecture} in ${CMAKE_SYSROOT}. "
    "'tools/packages cross-${cross_architecture}' unpacks them into build/sysroot-${cross_architecture}.")
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${CMAKE_SYSROOT}/usr/lib/${cross_libraries}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)

# Tests begin with these words. The loader is named rather than `qemu-... -L`, with which qemu would also look
# for every other file in the folder of the libraries first: "/" itself would be that folder.
set(cross_libraries_path ${CMAKE_SYSROOT}/usr/lib/${cross_libraries})
set(cross_loading ${CMAKE_SYSROOT}/lib/${cross_loader} --library-path ${cross_libraries_path})
if(cross_emulator)
  # Debian calls it qemu-...-static where it depends on nothing.
  find_program(RESTREE_EMULATOR NAMES ${cross_emulator} ${cross_emulator}-static)
  if(RESTREE_EMULATOR)
    set(CMAKE_CROSSCOMPILING_EMULATOR ${RESTREE_EMULATOR} ${cross_loading})
  endif()
else()
  set(CMAKE_CROSSCOMPILING_EMULATOR ${cross_loading})
endif()
# For tests/run.
set(RESTREE_RUN_THERE "${CMAKE_CROSSCOMPILING_EMULATOR}" CACHE INTERNAL "The words before a program of the other processor")
