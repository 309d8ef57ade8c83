# One library target per room: `room(repo_base SOURCES ... USES ... )`. Warnings, sanitizers and
# the include root are the same for every target of the project and are stated here once.
add_library(restree_options INTERFACE)
target_include_directories(restree_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(restree_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  $<$<BOOL:${RESTREE_WERROR}>:-Werror>)
# Uses of locks that repo/base/guarded.h does not allow. Only clang sees them.
set(RESTREE_LOCK_WARNINGS -Wthread-safety)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  target_compile_options(restree_options INTERFACE ${RESTREE_LOCK_WARNINGS})
endif()
if(RESTREE_BATCH GREATER 1 AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # gcc takes a source that is included for a header, and would have no local types in it.
  target_compile_options(restree_options INTERFACE -Wno-subobject-linkage)
endif()
# libfuse refuses to compile without large files, and 64-bit offsets are what we mean everywhere.
target_compile_definitions(restree_options INTERFACE _FILE_OFFSET_BITS=64 FUSE_USE_VERSION=314
  SPDLOG_FMT_EXTERNAL RESTREE_VERSION="${PROJECT_VERSION}")
# Times after 2038 need seconds of 64 bits, which the C library has on 32-bit processors only if it is
# asked for them. But a library that is passed times must get its own seconds, which are those that the
# compiler has by itself: times_of_libraries(TARGET) leaves a target at these. Such a target is one
# small source whose functions have no times or struct stat of the C library in their declarations, nor
# use anything of the C++ library that has: the linker would take one of the two for both.
include(CheckTypeSize)
set(CMAKE_EXTRA_INCLUDE_FILES time.h)
check_type_size(time_t RESTREE_TIME_BYTES LANGUAGE CXX)
unset(CMAKE_EXTRA_INCLUDE_FILES)
if(RESTREE_TIME_BYTES LESS 8)
  target_compile_definitions(restree_options INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:RESTREE_TIMES_OF_LIBRARIES>>>:_TIME_BITS=64>)
endif()
function(times_of_libraries target)
  set_target_properties(${target} PROPERTIES RESTREE_TIMES_OF_LIBRARIES ON)
endfunction()

if(RESTREE_SANITIZE)
  # Not a target that sets RESTREE_UNINSTRUMENTED: it is linked with what is instrumented.
  target_compile_options(restree_options INTERFACE
    "$<$<NOT:$<BOOL:$<TARGET_PROPERTY:RESTREE_UNINSTRUMENTED>>>:-fsanitize=${RESTREE_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  target_compile_definitions(restree_options INTERFACE RESTREE_SANITIZED)
  target_link_options(restree_options INTERFACE -fsanitize=${RESTREE_SANITIZE})
  if(RESTREE_SANITIZE MATCHES address)
    # At a fixed place: the tests start such programs thousands of times, and what the dynamic linker has to
    # adjust in one that can lie anywhere is a good part of a start.
    target_compile_options(restree_options INTERFACE -fno-pie)
    target_link_options(restree_options INTERFACE -no-pie)
  endif()
endif()

function(room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;USES_PRIVATE" ${ARGN})
  in_batches(sources ${name} ${RESTREE_BATCH} ${ARG_SOURCES})
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC restree_options ${ARG_USES} PRIVATE ${ARG_USES_PRIVATE})
  hardened(${name})
endfunction()
