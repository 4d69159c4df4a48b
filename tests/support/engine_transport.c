#include "tests/support/engine_transport.h"

#include "natsclient/subjects.h"
#include "tests/support/engine_messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_SIZE = 512, LOG_MOST = 16 << 20 };

struct kept_text {
    struct list link;
    char text[TEXT_SIZE];
};

static void *need(void *allocated)
{
    if (allocated == NULL)
        abort();
    return allocated;
}

static char *copy(const char *text)
{
    return need(strdup(text));
}

/* A reply on its way back to the engine. */
struct echo {
    struct list link;
    char *subject;
    bool no_responders;
};

/* ---- transport ---- */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void echo(struct fixture *fixture, const char *subject,
                 bool no_responders)
{
    struct echo *made = need(calloc(1, sizeof *made));
    made->subject = copy(subject);
    made->no_responders = no_responders;
    list_append(&fixture->echoes, &made->link);
}

void transport_forget_echoes(struct fixture *fixture)
{
    while (!list_empty(&fixture->echoes)) {
        struct echo *first =
            list_entry(list_pop(&fixture->echoes), struct echo, link);
        free(first->subject);
        free(first);
    }
}

static void record(struct fixture *fixture, const char *subject,
                   const char *reply, struct bytes data)
{
    if (fixture->sent_count == fixture->sent_capacity) {
        fixture->sent_capacity = fixture->sent_capacity * 2 + 64;
        fixture->sent = need(reallocarray(fixture->sent, fixture->sent_capacity,
                                          sizeof *fixture->sent));
    }
    fixture->sent[fixture->sent_count++] =
        (struct sent){.subject = copy(subject),
                      .reply = reply == NULL ? NULL : copy(reply),
                      .data = bytes_of(need(bytes_copy(data)), data.size)};
}

static enum status publish(void *context, const char *subject,
                           const char *reply, struct bytes data)
{
    struct fixture *fixture = context;
    if (!subject_is_publishable(bytes_text(subject)))
        return STATUS_INVALID;
    if (fixture->cut)
        return STATUS_UNAVAILABLE;
    if (fixture->refused != NULL && strcmp(fixture->refused, subject) == 0)
        return STATUS_TOO_BIG;
    if (fixture->max_payload > 0 && data.size > fixture->max_payload)
        return STATUS_TOO_BIG;
    if (starts_with(subject, "_INBOX.")) { /* to itself: are we heard? */
        echo(fixture, subject, false);
        return STATUS_OK;
    }
    record(fixture, subject, reply, data);
    if (reply == NULL)
        return STATUS_OK;
    bool dead = table_get(fixture->dead, subject, strlen(subject)) != NULL;
    if (!dead || fixture->no_responders)
        echo(fixture, reply, dead);
    return STATUS_OK;
}

static enum status subscribe(void *context, enum inbound kind,
                             const char *subject, struct error *err)
{
    struct fixture *fixture = context;
    (void)kind;
    if (subject[0] == '\0')
        return fail(err, STATUS_INVALID, "empty subject");
    if (!table_put(fixture->subscribed, subject, strlen(subject), fixture))
        abort();
    return STATUS_OK;
}

static void unsubscribe(void *context, enum inbound kind, const char *subject)
{
    struct fixture *fixture = context;
    (void)kind;
    (void)table_remove(fixture->subscribed, subject, strlen(subject));
}

static bool is_congested(void *context)
{
    return ((const struct fixture *)context)->congested;
}

static void pause_reading(void *context, bool pause)
{
    ((struct fixture *)context)->paused = pause;
}

static bool is_up(void *context)
{
    return !((const struct fixture *)context)->cut;
}

static size_t max_payload(void *context)
{
    (void)context;
    return FIXTURE_PAYLOAD_MAX;
}

void fixture_cut(struct fixture *fixture)
{
    fixture->cut = true;
    transport_forget_echoes(fixture);
}

void fixture_reconnect(struct fixture *fixture)
{
    if (!fixture->cut)
        return;
    fixture->cut = false;
    engine_reconnected(fixture->engine);
    fixture_run(fixture);
}

void fixture_set_dead(struct fixture *fixture, const char *subject, bool dead)
{
    if (!dead) {
        (void)table_remove(fixture->dead, subject, strlen(subject));
    } else if (!table_put(fixture->dead, subject, strlen(subject), fixture)) {
        abort();
    }
}

struct transport transport_of(struct fixture *fixture)
{
    return (struct transport){.context = fixture,
                              .publish = publish,
                              .subscribe = subscribe,
                              .unsubscribe = unsubscribe,
                              .congested = is_congested,
                              .pause = pause_reading,
                              .is_up = is_up,
                              .max_payload = max_payload};
}

void transport_release(struct fixture *fixture)
{
    transport_forget_echoes(fixture);
    fixture_clear(fixture);
    free(fixture->sent);
    while (!list_empty(&fixture->texts))
        free(list_entry(list_pop(&fixture->texts), struct kept_text, link));
}

bool transport_echo(struct fixture *fixture)
{
    if (list_empty(&fixture->echoes))
        return false;
    struct echo *first =
        list_entry(list_pop(&fixture->echoes), struct echo, link);
    const struct inbound_message message = {.kind = INBOUND_REPLY,
                                            .subject = first->subject,
                                            .no_responders =
                                                first->no_responders};
    engine_message(fixture->engine, &message);
    engine_burst_end(fixture->engine);
    free(first->subject);
    free(first);
    return true;
}

/* ---- what came out ---- */

const struct sent *fixture_take(struct fixture *fixture, const char *subject)
{
    for (size_t i = 0; i < fixture->sent_count; i++) {
        struct sent *sent = &fixture->sent[i];
        if (sent->taken || strcmp(sent->subject, subject) != 0)
            continue;
        sent->taken = true;
        return sent;
    }
    return NULL;
}

size_t fixture_count(const struct fixture *fixture, const char *subject)
{
    size_t count = 0;
    for (size_t i = 0; i < fixture->sent_count; i++)
        count += strcmp(fixture->sent[i].subject, subject) == 0;
    return count;
}

void fixture_clear(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->sent_count; i++) {
        free(fixture->sent[i].subject);
        free(fixture->sent[i].reply);
        free((void *)fixture->sent[i].data.data);
    }
    fixture->sent_count = 0;
}

const char *fixture_text(struct fixture *fixture, const char *format, ...)
{
    struct kept_text *kept = need(calloc(1, sizeof *kept));
    list_append(&fixture->texts, &kept->link);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(kept->text, sizeof kept->text, format, arguments);
    va_end(arguments);
    return kept->text;
}

const char *fixture_received(struct fixture *fixture, const char *inbox)
{
    struct kept_text *kept = need(calloc(1, sizeof *kept));
    list_append(&fixture->texts, &kept->link);
    size_t size = 0;
    const struct sent *sent;
    while ((sent = fixture_take(fixture, inbox)) != NULL &&
           size < sizeof kept->text) {
        uint64_t count =
            field_number_of(sent->data, FIELD_MESSAGE_REDELIVERY_COUNT);
        bool again =
            field_number_of(sent->data, FIELD_MESSAGE_REDELIVERED) != 0;
        int added = snprintf(kept->text + size, sizeof kept->text - size,
                             "%s%llu", size > 0 ? " " : "",
                             (unsigned long long)field_number_of(
                                 sent->data, FIELD_MESSAGE_SEQUENCE));
        size += (size_t)added;
        if ((again || count > 0) && size < sizeof kept->text) {
            added = snprintf(kept->text + size, sizeof kept->text - size,
                             "r%llu", (unsigned long long)count);
            size += (size_t)added;
        }
    }
    return kept->text;
}

size_t fixture_log_count(const struct fixture *fixture, const char *text)
{
    off_t size = lseek(fixture->log_file, 0, SEEK_END);
    if (size < 0 || size > LOG_MOST)
        abort();
    char *all = need(calloc(1, (size_t)size + 1));
    if (pread(fixture->log_file, all, (size_t)size, 0) != size)
        abort();
    size_t count = 0;
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    free(all);
    return count;
}

bool fixture_log_has(const struct fixture *fixture, const char *text)
{
    return fixture_log_count(fixture, text) > 0;
}
