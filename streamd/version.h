/* version.h - what this program is and which Go server it stands in for.
 *
 * Both are set by the build from the top CMakeLists.txt, the one place where
 * they are written down. */
#ifndef STREAMD_VERSION_H
#define STREAMD_VERSION_H

#if !defined(STREAMD_VERSION) || !defined(STREAMD_COMPATIBLE_VERSION)
#error "the build must define STREAMD_VERSION and STREAMD_COMPATIBLE_VERSION"
#endif

#endif
