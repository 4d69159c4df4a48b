/* LevelDB begins a new log after 8 MB of records; tests want to see that
 * often, so this stands before LevelDB's function of that name. */
#include <dlfcn.h>
#include <leveldb/c.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 64 << 10 }; /* the least LevelDB takes */

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void leveldb_options_set_write_buffer_size(leveldb_options_t *options,
                                           size_t size)
{
    void (*real)(leveldb_options_t *, size_t);
    void *symbol = dlsym(RTLD_NEXT, "leveldb_options_set_write_buffer_size");
    (void)size;
    if (symbol == NULL)
        abort();
    memcpy(&real, &symbol, sizeof real);
    real(options, SMALL);
}
