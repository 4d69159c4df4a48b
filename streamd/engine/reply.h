/* reply.h - answers to requests: at once, or when a batch is durable. Engine
 * thread. */
#ifndef STREAMD_ENGINE_REPLY_H
#define STREAMD_ENGINE_REPLY_H

#include "streamd/engine/core.h"

/* Each answers to reply; NULL (nobody asked for one) drops it. An answer that
 * cannot be sent is dropped: the client times out. error may be "". */
void reply_connect_error(struct engine *engine, const char *reply,
                         const char *error);
void reply_connected(struct engine *engine, const char *reply,
                     const struct client *client);
void reply_pub_error(struct engine *engine, const char *reply,
                     struct bytes guid, const char *error);
/* Subscribe, unsubscribe, subscription close. ack_inbox may be "". */
void reply_subscription(struct engine *engine, const char *reply,
                        const char *ack_inbox, const char *error);
/* Ping, connection close. */
void reply_error(struct engine *engine, const char *reply, const char *error);

/* Answers that wait for what is in the batch, made before anything is put into
 * it; NULL when out of memory, before anything has changed. Give each to one
 * of the two below. */
struct late_reply;
/* To an unsubscribe: "" or the text of the failure. */
struct late_reply *reply_late_subscription(const char *reply);
/* To a connection close: "" in any case, a failure is only logged. */
struct late_reply *reply_late_closed(const char *reply);

/* Answers when what is in the batch now is durable. */
void reply_when_durable(struct engine *engine, struct late_reply *late);
/* Nobody is to be answered by it after all. */
void reply_late_free(struct late_reply *late);

#endif
