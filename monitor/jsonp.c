#include "monitor/jsonp.h"

#include "monitor/query.h"

#include <string.h>

/* A name a script may be made of; anything else would let a link run code. */
static bool callback_valid(const struct blob *callback)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$[]";
    return strspn((const char *)callback->data, allowed) == callback->size;
}

bool jsonp_begin(const char *target, struct reply *reply, bool *wrapped)
{
    struct blob callback;
    *wrapped = false;
    if (query_parameter(target, "callback", &callback) != STATUS_OK) {
        http_no_memory(reply);
        return false;
    }
    *wrapped = callback.size > 0;
    bool begun = false;
    if (!callback_valid(&callback)) {
        http_error(reply, 400, "Invalid callback name\n", bytes_of(NULL, 0),
                   "");
    } else {
        *reply =
            (struct reply){.status = 200,
                           .content_type = *wrapped ? "application/javascript"
                                                    : "application/json"};
        begun =
            *wrapped
                ? blob_append(&reply->body, callback.data, callback.size) &&
                      http_append(reply, "(")
                : http_add_header(reply, "Access-Control-Allow-Origin", "*");
        if (!begun)
            http_no_memory(reply);
    }
    blob_release(&callback);
    return begun;
}

void jsonp_end(struct reply *reply, bool wrapped, enum status status)
{
    if (status != STATUS_OK || (wrapped && !http_append(reply, ")")))
        http_no_memory(reply);
}
