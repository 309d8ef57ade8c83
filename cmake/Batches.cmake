# Several sources compiled as one: what they all include is read and compiled once, which is most of
# what a small source costs, above all with a sanitizer. The release build compiles each source of the
# rooms alone, and so sees an #include that is missing; the debug build those of the tests as well.
#
# CMake's own UNITY_BUILD names the sources by their absolute paths, by which a compiler cache does
# not know them in another clone.

# in_batches(OUT NAME SIZE SOURCES...): OUT becomes what to compile for the target NAME.
function(in_batches out name size)
  if(size LESS 2)
    set(${out} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(batches)
  set(text)
  set(count 0)
  list(LENGTH ARGN left)
  foreach(source IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH source NORMALIZE)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    string(APPEND text "#include \"${source}\"\n")
    math(EXPR count "${count} + 1")
    math(EXPR left "${left} - 1")
    if(count EQUAL size OR left EQUAL 0)
      list(LENGTH batches number)
      set(batch ${CMAKE_CURRENT_BINARY_DIR}/${name}.${number}.cc)
      file(CONFIGURE OUTPUT ${batch} CONTENT "${text}" @ONLY)
      list(APPEND batches ${batch})
      set(text)
      set(count 0)
    endif()
  endforeach()
  set(${out} ${batches} PARENT_SCOPE)
endfunction()
