/* admin_json.h - what the engine answered an administrator, as JSON: the forms
 * of openapi.json. */
#ifndef MONITOR_ADMIN_JSON_H
#define MONITOR_ADMIN_JSON_H

#include "streamd/engine/admin.h"

/* Appends the answer of request, which succeeded; with_ok: with "ok":true in
 * front. Errors: STATUS_NO_MEMORY, STATUS_CORRUPT (a message is damaged). */
MUST_CHECK enum status admin_json(const struct admin_request *request,
                                  bool with_ok, struct blob *out,
                                  struct error *err);

/* Appends {"error": text}; false when out of memory. */
MUST_CHECK bool admin_json_error(const char *text, struct blob *out);

#endif
