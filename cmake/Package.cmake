# What a .deb holds besides what `cmake --install` installs, and how CPack makes it: tools/package.
set(RESTREE_PACKAGE_SUFFIX "" CACHE STRING "Follows the version: which Debian the package is for")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME restree)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION}${RESTREE_PACKAGE_SUFFIX})
set(RESTREE_MAINTAINER "Restree authors <authors@restree.invalid>"
  CACHE STRING "Who publishes the package, and answers for it: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT "${RESTREE_MAINTAINER}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# fusermount3, and what mount(8) calls for the type fuse.restreefs.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "fuse3")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "openssh-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "restic")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "restic backups as plain directories, and backups in that format")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"restreefs mounts a restic repository, local or over SFTP: every app has a
directory, every snapshot of it is a directory inside, and getting data back
is a plain cp. An encrypted cache on the local disk makes far repositories
fast, and serves what it holds while the server is away.
.
restree writes and restores such backups with restic's commands and options.
Both work beside restic on the same repository.")
set(CPACK_STRIP_FILES ON)
include(CPack)

if(NOT RESTREE_PACKAGE)
  return()
endif()
set(doc ${PROJECT_BINARY_DIR}/doc)
file(MAKE_DIRECTORY ${doc})
file(COPY_FILE ${PROJECT_SOURCE_DIR}/LICENSE ${doc}/copyright)
# Compressed as Debian's policy has it: the same file from the same text.
add_custom_command(OUTPUT ${doc}/changelog.gz
  COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${doc}/changelog.gz
  DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md
  VERBATIM)
add_custom_target(package_documents ALL DEPENDS ${doc}/changelog.gz)
install(FILES ${doc}/changelog.gz ${doc}/copyright ${PROJECT_SOURCE_DIR}/README.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/restree)
