# Writes OUTPUT, the one source that names the commit being built, and only where the commit has
# changed: everything else is compiled and cached as before. Run at build time, by
#   cmake -D SOURCE=… -D OUTPUT=… -D COMMIT=… -P cmake/Commit.cmake
# COMMIT: what to name, for a build outside of git; empty: git is asked. A source tree that is not a
# git work tree of its own, such as a tarball or a copy inside of another project, has no commit.
set(commit "${COMMIT}")
if(commit STREQUAL "")
  find_program(GIT git)
  if(GIT)
    execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-toplevel
      OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    file(REAL_PATH "${SOURCE}" source)
    if(NOT failed AND top STREQUAL source)
      execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE} describe --always --dirty --exclude=* --abbrev=12
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    endif()
  endif()
endif()

file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
// Made by cmake/Commit.cmake.
#include "tools/commands/build_commit.h"

std::string_view restree::build_commit() { return "@commit@"; }
]])
