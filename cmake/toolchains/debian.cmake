# What the toolchain files beside it share. Before they include it they set:
#
#   CMAKE_SYSTEM_PROCESSOR   what `uname -m` says there
#   cross_compiler           the prefix of Debian's cross compiler, such as aarch64-linux-gnu
#   cross_libraries          the folder of that architecture's libraries below /usr/lib
#   cross_emulator           the program of qemu-user that runs what is built
#
# The libraries are Debian's own of the other architecture, beside this machine's: `tools/packages cross-arm64`
# and so on.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER ${cross_compiler}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${cross_libraries})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${cross_libraries}/pkgconfig:/usr/share/pkgconfig)

# Debian calls it qemu-…-static where it depends on nothing.
find_program(RESTREE_EMULATOR NAMES ${cross_emulator} ${cross_emulator}-static)
if(RESTREE_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${RESTREE_EMULATOR})
endif()
