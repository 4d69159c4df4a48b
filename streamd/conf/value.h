/* value.h - what a configuration file says, as a tree, and the document that
 * owns the tree.
 *
 * Values never change once they are in their container. A variable that names
 * a container shares its content, so a walk may meet one item list twice. One
 * thread at a time. */
#ifndef STREAMD_CONF_VALUE_H
#define STREAMD_CONF_VALUE_H

#include "streamd/base/buffer.h"
#include "streamd/base/list.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
    CONF_STRING,
    CONF_BOOLEAN,
    CONF_INTEGER,
    CONF_FLOAT,
    CONF_DATETIME,
    CONF_ARRAY,
    CONF_MAP,
};

/* Content of an array or a map; a map's keys are unique. */
struct conf_items {
    struct list values;
    uint64_t id; /* of the map, within its document */
};

struct conf_value {
    struct list link; /* in the items it belongs to */
    struct bytes key; /* of a map's entry, as written; terminated */
    enum conf_type type;
    union {
        struct bytes string; /* terminated, but may hold inner NULs */
        bool boolean;
        int64_t integer;
        double real;
        int64_t datetime; /* seconds of Unix time */
        struct conf_items *items;
    } as;
    const char *file; /* where it stands; columns count bytes, from 1 */
    int line, column;
};

/* All that one document may take in memory: a hostile file ends here. */
#define CONF_MEMORY_MAX ((size_t)32 << 20)

struct conf;

/* On STATUS_OK the caller owns *out, an empty document, and ends it and all
 * its values with conf_free(). Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status conf_new(struct conf **out, struct error *err);
void conf_free(struct conf *conf); /* NULL is allowed */

/* The top-level map. */
const struct conf_value *conf_root(const struct conf *conf);

/* A walk in file order over an array or map; NULL at the end. */
const struct conf_value *conf_first(const struct conf_value *container);
const struct conf_value *conf_next(const struct conf_value *container,
                                   const struct conf_value *value);

/* The last entry of map whose key is name in any case; NULL if none. */
const struct conf_value *conf_find(const struct conf_value *map,
                                   const char *name);

/* "string", "bool", "int64", "float64", "struct" (a date), "slice", "map": the
 * words of the Go server's error texts. */
const char *conf_type_name(enum conf_type type);

/* The value for an error text, cut if long. Returns out. */
enum { CONF_SHOWN_MAX = 80 };
const char *conf_show(const struct conf_value *value, char out[CONF_SHOWN_MAX]);

/* ---- for the parser ---- */

/* Memory of the document; NULL when out of memory or above the limit. */
void *conf_allocate(struct conf *conf, size_t size);

/* A terminated copy that lives as long as the document; NULL as above. */
const char *conf_copy(struct conf *conf, struct bytes bytes);

/* A new value of this type, with empty items if it is a container. NULL as
 * above. */
struct conf_value *conf_value_new(struct conf *conf, enum conf_type type);

/* Appends value to map under key, in place of an earlier one of the same key;
 * value is in no container before. False as above. */
MUST_CHECK bool conf_put(struct conf *conf, struct conf_value *map,
                         struct bytes key, struct conf_value *value);
void conf_append(struct conf_value *array, struct conf_value *value);

/* The entry of exactly this key; NULL if none, or if key is too
 * long to be one. */
const struct conf_value *
conf_get(struct conf *conf, const struct conf_value *map, struct bytes key);

/* Moves the entries of from, a map, over to map. False as above. */
MUST_CHECK bool conf_merge(struct conf *conf, struct conf_value *map,
                           struct conf_value *from);

/* Makes root the top-level map. */
void conf_set_root(struct conf *conf, struct conf_value *root);

#endif
