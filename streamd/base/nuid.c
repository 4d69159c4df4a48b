#include "streamd/base/nuid.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

void nuid_next(char out[NUID_SIZE + 1])
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz";
    enum { BASE = sizeof alphabet - 1, FAIR = 256 / BASE * BASE };
    uint8_t random[NUID_SIZE * 2];
    int filled = 0;
    while (filled < NUID_SIZE) {
        /* 256 bytes or less are never cut short once the pool is ready. */
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            abort();
        for (size_t i = 0; i < sizeof random && filled < NUID_SIZE; i++) {
            if (random[i] < FAIR)
                out[filled++] = alphabet[random[i] % BASE];
        }
    }
    out[NUID_SIZE] = '\0';
}
