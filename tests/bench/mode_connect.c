/* mode_connect.c - how long until a server that is starting answers. */
#include "streamd/base/clock.h"
#include "tests/bench/clients.h"
#include "tests/bench/mode.h"

bool mode_connect(const struct load_options *options)
{
    static const int64_t again = 5 * CLOCK_MILLISECOND;
    struct clients clients;
    int64_t start = clock_monotonic(&clock_system);
    const struct client_handlers handlers = {0}; /* nothing is asked for */
    bool ok = clients_init(&clients, 1, options, &handlers) &&
              clients_connect(&clients,
                              (int64_t)options->timeout * CLOCK_SECOND, again);
    int64_t time = clock_monotonic(&clock_system) - start;
    (void)printf("{\"mode\":\"connect\",\"ok\":%s,\"seconds\":%.6f}\n",
                 ok ? "true" : "false", (double)time / 1e9);
    clients_release(&clients);
    return ok;
}
