# What makes faults in memory harder to use, in the programs that users run: cookies on the stack, checked
# calls of the C library, tables that are read-only once the program has started, and marks for
# indirect jumps where the processor checks them. Each only where the compiler knows it; what the
# builder's own flags say already (dpkg-buildflags) stays as they say it.
#
# hardened(TARGET): compiled, and if it is a program linked, like that. Not for tests, which are
# compiled without the optimizer that these checks need, nor for a build with sanitizers.
option(RESTREE_HARDENED "Build the programs with the compiler's protections" ON)
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

set(hardening_compile)
set(hardening_link)
if(RESTREE_HARDENED AND NOT RESTREE_SANITIZE)
  set(hardening_jumps -fcf-protection)  # x86: CET
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(hardening_jumps -mbranch-protection=standard)  # BTI and signed return addresses
  endif()
  foreach(flag -fstack-protector-strong -fstack-clash-protection ${hardening_jumps})
    string(MAKE_C_IDENTIFIER "RESTREE_HAVE${flag}" have)
    check_cxx_compiler_flag(${flag} ${have})
    if(${have})
      list(APPEND hardening_compile ${flag})
    endif()
  endforeach()
  if(NOT CMAKE_CXX_FLAGS MATCHES "_FORTIFY_SOURCE")
    # Some compilers define it themselves. Without an optimizer it does nothing but warn.
    list(APPEND hardening_compile
      $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
      $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=2>)
  endif()
  foreach(flag relro now)
    check_linker_flag(CXX -Wl,-z,${flag} RESTREE_HAVE_LINK_${flag})
    if(RESTREE_HAVE_LINK_${flag})
      list(APPEND hardening_link -Wl,-z,${flag})
    endif()
  endforeach()
endif()

function(hardened target)
  target_compile_options(${target} PRIVATE ${hardening_compile})
  target_link_options(${target} PRIVATE ${hardening_link})
endfunction()
