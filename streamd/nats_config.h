/* nats_config.h - the configuration of a nats-server of our own (cli-config.md
 * 8 and 13): what its file says, without what is not for it, and with the
 * command line put over it.
 *
 * What streamd does in its place is left out (monitoring, log file, pid file),
 * and so is what is settled at each start: host, port, ports file. */
#ifndef STREAMD_NATS_CONFIG_H
#define STREAMD_NATS_CONFIG_H

#include "streamd/base/buffer.h"
#include "streamd/conf/value.h"
#include "streamd/options.h"

/* Bytes of such a text: variables can make much of little. */
enum { NATS_CONFIG_MAX = 8 << 20 };

/* The checks of cli-config.md 4. conf is the document of the file, or NULL.
 * Errors: STATUS_INVALID with the text for the user. */
MUST_CHECK enum status nats_config_check(const struct options *options,
                                         const struct conf *conf,
                                         struct error *err);

/* True if a nats-server of our own, by these, serves its clients with TLS. */
bool nats_config_has_tls(const struct options *options,
                         const struct conf *conf);

/* The text into *out, which is empty; it holds secrets. Entries stand on the
 * lines on which they stand in the file, as far as that goes. Errors:
 * STATUS_INVALID (a string that cannot be written), STATUS_LIMIT,
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status nats_config_write(const struct options *options,
                                         const struct conf *conf,
                                         struct blob *out, struct error *err);

/* The names, separated by ", " and cut to capacity (> 0), of what stands in
 * the file for a nats-server alone: nothing to us when we run none. */
void nats_config_names(const struct conf *conf, char *out, size_t capacity);

#endif
