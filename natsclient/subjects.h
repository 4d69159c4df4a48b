/* subjects.h - NATS subjects and channel names: what is valid.
 *
 * Pure functions. */
#ifndef NATSCLIENT_SUBJECTS_H
#define NATSCLIENT_SUBJECTS_H

#include "streamd/base/buffer.h"

#include <stdbool.h>

/* A literal channel name (protocol.md section 6): not empty, no empty token,
 * no '/', no '*' and no '>'. Any other byte is fine, NUL too. */
bool channel_name_is_valid(struct bytes name);

/* One or more of A-Z a-z 0-9 _ - (protocol.md section 6). */
bool client_id_is_valid(struct bytes id);

/* Safe and sensible to publish to: not empty, no control character, no space,
 * no NUL, no empty token, no wildcard token. Anything else could break or
 * forge the lines of the NATS protocol. */
bool subject_is_publishable(struct bytes subject);

/* Of a subject and its reply subject together: with the rest of the line within
 * the 4,096 bytes that nats-server takes by default before it hangs up. */
enum { SUBJECTS_MAX = 4000 };

#endif
