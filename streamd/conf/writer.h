/* writer.h - values of a configuration file as text of the same grammar,
 * so that a nats-server reads exactly what we read: strings are quoted, nothing
 * is left to look-alikes, variables and includes are gone. */
#ifndef STREAMD_CONF_WRITER_H
#define STREAMD_CONF_WRITER_H

#include "streamd/base/buffer.h"
#include "streamd/conf/value.h"

#include <stdbool.h>

/* Zero-initialise but for out, to which the text is appended, and most. Once
 * status is not STATUS_OK calls do nothing more. */
struct conf_writer {
    struct blob *out;
    size_t most;      /* bytes of out */
    const char *file; /* whose lines are kept; NULL: no one's */
    int line;         /* of out, from 0 */
    int depth;        /* of conf_write_open() */
    enum status status;
    const char *problem; /* what was wrong, for STATUS_INVALID */
};

/* key: "value" and so on. */
void conf_write_string(struct conf_writer *writer, const char *key,
                       const char *value);
void conf_write_integer(struct conf_writer *writer, const char *key,
                        int64_t value);
void conf_write_boolean(struct conf_writer *writer, const char *key,
                        bool value);

/* One entry of a map as it is, with all that is in it. */
void conf_write_entry(struct conf_writer *writer,
                      const struct conf_value *entry);

/* The entries of a map whose keys are not among these words (lower case,
 * separated by blanks), between conf_write_open() and conf_write_close(). */
void conf_write_others(struct conf_writer *writer, const struct conf_value *map,
                       const char *words);

void conf_write_open(struct conf_writer *writer, const char *key, char open);
void conf_write_close(struct conf_writer *writer, char close);

/* A string as an element of an array. */
void conf_write_element(struct conf_writer *writer, struct bytes value);

#endif
