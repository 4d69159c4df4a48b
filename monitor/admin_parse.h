/* admin_parse.h - what an administrator sends to a request of the engine.
 *
 * A document has named members: those of a JSON object, and those that came
 * another way (path, query). It becomes a request of one verb, which says which
 * members there may be and must be. */
#ifndef MONITOR_ADMIN_PARSE_H
#define MONITOR_ADMIN_PARSE_H

#include "streamd/engine/admin.h"

enum { ADMIN_BODY_MAX = 2 * 1024 * 1024 }; /* a message of 1 MiB, in base64 */

struct admin_document;

/* body is a JSON object, or empty: no members. Parse what comes from somebody
 * who may send it only. On STATUS_OK the caller owns *out. Errors:
 * STATUS_INVALID, STATUS_TOO_BIG, STATUS_NO_MEMORY. */
MUST_CHECK enum status admin_document_new(struct bytes body,
                                          struct admin_document **out,
                                          struct error *err);
void admin_document_free(struct admin_document *document); /* NULL is allowed */

/* Adds a member with a text, which may be any bytes. Errors: STATUS_INVALID
 * (it is there already), STATUS_NO_MEMORY. */
MUST_CHECK enum status admin_document_add(struct admin_document *document,
                                          const char *name, struct bytes value,
                                          struct error *err);

/* The text of a member, which is taken out, in *out; left as it is if there is
 * no such text. False when out of memory. */
MUST_CHECK bool admin_document_take(struct admin_document *document,
                                    const char *name, struct text *out);

/* Fills *request, which is zero but for `who`. It is to be released in any
 * case. Errors: STATUS_INVALID (with the member), STATUS_NO_MEMORY. */
MUST_CHECK enum status
admin_document_request(const struct admin_document *document,
                       enum admin_verb verb, struct admin_request *request,
                       struct error *err);

#endif
