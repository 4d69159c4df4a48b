/* nuid.h - unique names: 22 characters of 0-9A-Za-z (spec protocol.md). */
#ifndef STREAMD_BASE_NUID_H
#define STREAMD_BASE_NUID_H

enum { NUID_SIZE = 22 };

/* Writes a new one, terminated. Random from the kernel: not to be guessed.
 * Any thread. */
void nuid_next(char out[NUID_SIZE + 1]);

#endif
