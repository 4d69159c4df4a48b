/* reference.h - what the clients of one channel know and may expect: a model
 * so simple that it is right.
 *
 * It sees only what goes over the wire, and what is in the store. A rule that
 * does not hold ends the program with its name, the seed and the step. */
#ifndef TESTS_MODEL_REFERENCE_H
#define TESTS_MODEL_REFERENCE_H

#include "tests/support/engine_client.h"
#include "tests/unit/base/random.h"

enum {
    CLIENTS = 3,
    CONSUMERS = 6,
    MEMBERS = 3, /* of a group; others have one */
    MESSAGES_MOST = 2000,
    ACK_WAIT_MOST = 4, /* s */
    ASKED_MOST = 64,   /* requests on their way */
};

enum member_state {
    MEMBER_NONE,
    MEMBER_ASKED, /* the subscribe request is on its way */
    MEMBER_OPEN,
    MEMBER_LEAVING, /* nothing may come any more */
};

struct member {
    enum member_state state;
    unsigned generation; /* of its inbox */
    int client;
    int max_in_flight, ack_wait;
    char inbox[64], ack_inbox[128];
};

/* What one consumer knows of one message. */
struct knowledge {
    bool delivered; /* ever, in the life of the consumer */
    bool is_new;    /* came as new since the server began to remember */
    bool pending;   /* delivered and not acked, as far as we know */
    bool acked;     /* our ack was taken, at any time */
    bool forgotten; /* the server died after our ack: it may come again */
    uint32_t redeliveries; /* since the server began to count */
    int64_t due;           /* the latest time of the next delivery */
};

/* Who takes messages: a subscription, or all members of a group. */
struct consumer_model {
    bool is_durable, is_group;
    int fixed_client; /* of a plain durable */
    struct member members[MEMBERS];
    uint64_t start; /* all above is to be received in the end */
    uint64_t floor; /* nothing at or below it comes; start, if that is sure */
    uint64_t last_new;
    int64_t disturbed; /* redelivery may be late: counted from here */
    struct knowledge known[MESSAGES_MOST + 1]; /* by sequence */
};

enum asked_kind {
    ASKED_PUBLISH,
    ASKED_SUBSCRIBE,
    ASKED_LEAVE,
    ASKED_CONNECT,
    ASKED_CLOSE,
};

struct asked {
    enum asked_kind kind;
    const char *reply;
    unsigned number; /* of the publish */
    int consumer, member, client;
    unsigned generation;
    bool fresh; /* subscribe: nothing like it was there */
    uint64_t start;
};

struct model {
    struct fixture *fixture;
    struct random random;
    uint64_t seed; /* of this history */
    int step;
    bool connected[CLIENTS], leaving[CLIENTS], asked_connect[CLIENTS];
    struct consumer_model consumers[CONSUMERS];
    struct asked asked[ASKED_MOST];
    size_t asked_count;
    unsigned published, generation;
    uint64_t stored; /* highest sequence seen in the store */
    unsigned number_at[MESSAGES_MOST + 1];
    uint64_t sequence_of[MESSAGES_MOST + 1]; /* by number; 0: not stored */
    size_t failed_reads;                     /* of the store, so far */
    bool trace;    /* TRACE is set: what is sent goes to stderr */
    bool starting; /* a restarted server speaks: old inboxes are allowed */
};

/* The rule that does not hold; does not return. */
_Noreturn void model_broken(const struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#define MODEL_REQUIRE(model, holds, ...)                                       \
    do {                                                                       \
        if (!(holds))                                                          \
            model_broken(model, __VA_ARGS__);                                  \
    } while (0)

/* Says what happens, if asked to by the environment variable TRACE. */
void model_trace(const struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void model_init(struct model *model);
const char *model_client(int client); /* its id */

/* A request was sent. */
struct asked *model_ask(struct model *model, enum asked_kind kind,
                        const char *reply);
/* The consumer begins anew above start. */
void model_begin(struct consumer_model *consumer, uint64_t start);
/* An ack was sent by an open member. */
void model_acked(struct consumer_model *consumer, uint64_t sequence);
/* The server died: what it had not stored is forgotten. */
void model_forget(struct model *model);
/* It was stopped, and started again. */
void model_restarted(struct model *model);

/* Takes in all that was sent and stored since the last time, and checks it. */
void model_observe(struct model *model);
/* What is late, or should have gone out and did not. */
void model_check(struct model *model);
/* After a quiet time in which everything was acked: nothing is missing. */
void model_check_complete(struct model *model);

/* The channel is undisturbed: everything goes at once. */
bool model_is_calm(const struct model *model);

#endif
