#include "monitor/admin_parse.h"

#include "monitor/base64.h"
#include "monitor/rfc3339.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

enum { NAME_MOST = 4096 };

struct admin_document {
    json_t *members;
};

/* ---- documents ---- */

enum status admin_document_new(struct bytes body, struct admin_document **out,
                               struct error *err)
{
    json_error_t cause;
    *out = NULL;
    if (body.size > ADMIN_BODY_MAX)
        return fail(err, STATUS_TOO_BIG, "more than %d bytes", ADMIN_BODY_MAX);
    json_t *members = body.size == 0
                          ? json_object()
                          : json_loadb((const char *)body.data, body.size,
                                       JSON_REJECT_DUPLICATES, &cause);
    if (members == NULL && body.size == 0)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (members == NULL) {
        return fail(err, STATUS_INVALID, "no JSON: %.160s (line %d, column %d)",
                    cause.text, cause.line, cause.column);
    }
    struct admin_document *document = calloc(1, sizeof *document);
    if (!json_is_object(members) || document == NULL) {
        bool is_object = json_is_object(members);
        json_decref(members);
        free(document);
        return is_object ? fail(err, STATUS_NO_MEMORY, "out of memory")
                         : fail(err, STATUS_INVALID, "no JSON object");
    }
    document->members = members;
    *out = document;
    return STATUS_OK;
}

void admin_document_free(struct admin_document *document)
{
    if (document == NULL)
        return;
    json_decref(document->members);
    free(document);
}

enum status admin_document_add(struct admin_document *document,
                               const char *name, struct bytes value,
                               struct error *err)
{
    if (json_object_get(document->members, name) != NULL)
        return fail(err, STATUS_INVALID, "%s is given twice", name);
    /* Names of channels may be no UTF-8; it is not written again. */
    json_t *text = json_stringn_nocheck(
        value.data == NULL ? "" : (const char *)value.data, value.size);
    if (json_object_set_new_nocheck(document->members, name, text) != 0)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

static struct bytes bytes_value(const json_t *value)
{
    return bytes_of(json_string_value(value), json_string_length(value));
}

bool admin_document_take(struct admin_document *document, const char *name,
                         struct text *out)
{
    const json_t *value = json_object_get(document->members, name);
    if (!json_is_string(value))
        return true;
    if (!text_set(out, bytes_value(value)))
        return false;
    (void)json_object_del(document->members, name);
    return true;
}

/* ---- members ---- */

enum member {
    CHANNEL = 1 << 0,
    QUEUE_GROUP = 1 << 1,
    CLIENT_ID = 1 << 2,
    ID = 1 << 3,
    SEQUENCE = 1 << 4,
    START = 1 << 5,
    TIME = 1 << 6,
    OFFSET = 1 << 7,
    LIMIT = 1 << 8,
    FORCE = 1 << 9,
    DATA = 1 << 10,
    TEXT = 1 << 11,
};

static enum status wrong(const char *name, const char *what, struct error *err)
{
    return fail(err, STATUS_INVALID, "%s: %s", name, what);
}

static enum status read_name(const char *name, const json_t *value,
                             struct text *out, struct error *err)
{
    size_t size = json_string_length(value);
    if (!json_is_string(value) || size == 0)
        return wrong(name, "not a text, or empty", err);
    if (size > NAME_MOST)
        return wrong(name, "too long", err);
    if (!text_set(out, bytes_value(value)))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

/* A number, or a text of digits: what stands in a path or a query. */
static bool whole_number(const json_t *value, uint64_t *out)
{
    *out = 0;
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        *out = number < 0 ? 0 : (uint64_t)number;
        return number >= 0;
    }
    struct bytes text = bytes_value(value);
    if (!json_is_string(value) || text.size == 0 || text.size > 19)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return *out <= INT64_MAX;
}

static enum status read_number(const char *name, const json_t *value,
                               uint64_t low, uint64_t high, uint64_t *out,
                               struct error *err)
{
    if (whole_number(value, out) && *out >= low && *out <= high)
        return STATUS_OK;
    return fail(err, STATUS_INVALID,
                "%s: not a whole number from %" PRIu64 " to %" PRIu64, name,
                low, high);
}

static enum status read_force(const char *name, const json_t *value,
                              struct admin_request *request, struct error *err)
{
    uint64_t number = 0;
    if (json_is_boolean(value)) {
        request->force = json_is_true(value);
        return STATUS_OK;
    }
    if (!whole_number(value, &number) || number > 1)
        return wrong(name, "neither true, false, 0 nor 1", err);
    request->force = number == 1;
    return STATUS_OK;
}

static enum status read_time(const char *name, const json_t *value,
                             struct admin_request *request, struct error *err)
{
    request->by_time = true;
    if (!json_is_string(value) ||
        !rfc3339_read(bytes_value(value), &request->time))
        return wrong(name, "not a time like 2026-11-25T16:52:54Z", err);
    return STATUS_OK;
}

static enum status read_data(const char *name, const json_t *value,
                             struct admin_request *request, struct error *err)
{
    enum status status = json_is_string(value)
                             ? base64_read(bytes_value(value), &request->data)
                             : STATUS_INVALID;
    if (status == STATUS_INVALID)
        return wrong(name, "not base64", err);
    return status == STATUS_OK ? STATUS_OK : fail(err, status, "out of memory");
}

static enum status read_text(const char *name, const json_t *value,
                             struct admin_request *request, struct error *err)
{
    if (!json_is_string(value))
        return wrong(name, "not a text", err);
    if (!text_set(&request->data, bytes_value(value)))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

static enum status read_size(const char *name, const json_t *value,
                             uint64_t low, uint64_t high, size_t *out,
                             struct error *err)
{
    uint64_t number = 0;
    enum status status = read_number(name, value, low, high, &number, err);
    *out = (size_t)number;
    return status;
}

static const struct {
    const char *name;
    enum member member;
} members[] = {
    {"channel", CHANNEL}, {"queue_group", QUEUE_GROUP},
    {"id", ID},           {"client_id", CLIENT_ID},
    {"start", START},     {"sequence", SEQUENCE},
    {"time", TIME},       {"offset", OFFSET},
    {"limit", LIMIT},     {"force", FORCE},
    {"data", DATA},       {"text", TEXT},
};

static enum status read_member(enum member member, const char *name,
                               const json_t *value,
                               struct admin_request *request, struct error *err)
{
    switch (member) {
    case CHANNEL:
        return read_name(name, value, &request->channel, err);
    case QUEUE_GROUP:
        return read_name(name, value, &request->queue_group, err);
    case CLIENT_ID:
        return read_name(name, value, &request->client_id, err);
    case ID:
        return read_number(name, value, 1, INT64_MAX, &request->subscription,
                           err);
    case SEQUENCE:
        return read_number(name, value, 1, INT64_MAX, &request->sequence, err);
    case START:
        return read_number(name, value, 0, INT64_MAX, &request->sequence, err);
    case TIME:
        return read_time(name, value, request, err);
    case OFFSET:
        return read_size(name, value, 0, INT64_MAX, &request->offset, err);
    case LIMIT:
        return read_size(name, value, 1, ADMIN_LIST_MAX, &request->limit, err);
    case FORCE:
        return read_force(name, value, request, err);
    case DATA:
        return read_data(name, value, request, err);
    case TEXT:
        return read_text(name, value, request, err);
    }
    return wrong(name, "unknown", err);
}

/* ---- what each verb takes ---- */

static const struct {
    unsigned all;      /* these must be there */
    unsigned one_of;   /* exactly one of these must be */
    unsigned most_one; /* at most one of these may be */
    unsigned some;     /* these may be there */
    size_t limit;      /* if none is given */
} verbs[] = {
    [ADMIN_MESSAGES] = {.all = CHANNEL,
                        .most_one = START | TIME,
                        .some = LIMIT,
                        .limit = 50},
    [ADMIN_MESSAGE] = {.all = CHANNEL | SEQUENCE},
    [ADMIN_PUBLISH] = {.all = CHANNEL, .one_of = DATA | TEXT},
    [ADMIN_PURGE] = {.all = CHANNEL},
    [ADMIN_DELETE_CHANNEL] = {.all = CHANNEL, .some = FORCE},
    [ADMIN_SUBSCRIPTIONS] = {.all = CHANNEL,
                             .some = OFFSET | LIMIT,
                             .limit = 100},
    [ADMIN_DELETE_SUBSCRIPTION] = {.all = CHANNEL | ID, .some = FORCE},
    [ADMIN_DELETE_QUEUE_GROUP] = {.all = CHANNEL | QUEUE_GROUP, .some = FORCE},
    [ADMIN_MOVE] = {.all = CHANNEL, .one_of = SEQUENCE | TIME},
    [ADMIN_PENDING] = {.all = CHANNEL | ID, .some = START | LIMIT, .limit = 50},
    [ADMIN_RELEASE] = {.all = CHANNEL | ID | SEQUENCE},
    [ADMIN_DROP] = {.all = CHANNEL | ID | SEQUENCE},
    [ADMIN_CLOSE_CLIENT] = {.all = CLIENT_ID},
};

/* The names of a set, for a person: "id, sequence". */
static const char *names_of(unsigned set, char out[128])
{
    size_t size = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if ((members[i].member & set) == 0)
            continue;
        int added = snprintf(out + size, 128 - size, "%s%s",
                             size > 0 ? ", " : "", members[i].name);
        size += added > 0 ? (size_t)added : 0;
    }
    return out;
}

/* Given one way too many, or not at all. */
static enum status check_alternatives(unsigned given, unsigned set, bool needed,
                                      struct error *err)
{
    char names[128];
    int count = __builtin_popcount(given & set);
    if (count > 1 || (needed && count == 0)) {
        return fail(err, STATUS_INVALID, "%s one of these is needed: %s",
                    needed ? "exactly" : "at most", names_of(set, names));
    }
    return STATUS_OK;
}

static enum status check(enum admin_verb verb, unsigned given,
                         struct error *err)
{
    char names[128];
    unsigned missing = verbs[verb].all & ~given;
    if (missing != 0) {
        return fail(err, STATUS_INVALID, "missing: %s",
                    names_of(missing, names));
    }
    enum status status = STATUS_OK;
    if (verbs[verb].one_of != 0)
        status = check_alternatives(given, verbs[verb].one_of, true, err);
    if (status == STATUS_OK)
        status = check_alternatives(given, verbs[verb].most_one, false, err);
    if (status == STATUS_OK && verb == ADMIN_MOVE)
        status = check_alternatives(given, ID | QUEUE_GROUP, true, err);
    return status;
}

static enum status read_one(enum admin_verb verb, const char *name,
                            const json_t *value, unsigned *given,
                            struct admin_request *request, struct error *err)
{
    unsigned known = verbs[verb].all | verbs[verb].one_of |
                     verbs[verb].most_one | verbs[verb].some |
                     (verb == ADMIN_MOVE ? ID | QUEUE_GROUP : 0);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(members[i].name, name) != 0 ||
            (members[i].member & known) == 0)
            continue;
        *given |= members[i].member;
        return read_member(members[i].member, name, value, request, err);
    }
    char shown[TEXT_QUOTED_MAX];
    return fail(err, STATUS_INVALID, "unknown: %s",
                text_quote(bytes_text(name), shown));
}

enum status admin_document_request(const struct admin_document *document,
                                   enum admin_verb verb,
                                   struct admin_request *request,
                                   struct error *err)
{
    unsigned given = 0;
    enum status status = STATUS_OK;
    request->verb = verb;
    request->limit = verbs[verb].limit;
    for (void *at = json_object_iter(document->members);
         at != NULL && status == STATUS_OK;
         at = json_object_iter_next(document->members, at)) {
        status = read_one(verb, json_object_iter_key(at),
                          json_object_iter_value(at), &given, request, err);
    }
    return status == STATUS_OK ? check(verb, given, err) : status;
}
