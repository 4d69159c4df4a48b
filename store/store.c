#include "store/store.h"

#include <stdlib.h>

struct run *run_new(size_t capacity)
{
    if (capacity > (SIZE_MAX - sizeof(struct run)) / sizeof(struct run_entry))
        return NULL;
    struct run *run = malloc(sizeof *run + capacity * sizeof(struct run_entry));
    if (run != NULL)
        run->count = 0;
    return run;
}

void run_free(struct run *run)
{
    if (run == NULL)
        return;
    for (size_t i = 0; i < run->count; i++)
        buffer_unref(run->entries[i].message.buffer);
    free(run);
}
