/* access.h - who we are to the NATS server and whom we trust (cli-config.md
 * 12), out of the options. */
#ifndef STREAMD_ACCESS_H
#define STREAMD_ACCESS_H

#include "natsclient/security.h"
#include "streamd/options.h"

/* For an external NATS server. The strings are those of options. */
void access_external(const struct options *options, struct security *out);

/* For the one of our own. With tls it serves with TLS: then its certificate is
 * not looked at, as the process that listens is known to be our child, and its
 * own certificate is shown to it unless the options have one for us. */
void access_embedded(const struct options *options, bool tls,
                     struct security *out);

#endif
