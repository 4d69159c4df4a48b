#include "streamd/conf/value.h"

#include "streamd/base/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BLOCK_SIZE = 16 << 10,
    KEY_MAX = 4096, /* of a key in bytes: longer ones are refused */
};

/* Memory is handed out from blocks and given back all at once: the tree needs
 * no walk, and so no recursion, to be freed. */
struct block {
    struct block *next;
    size_t size, used;
    max_align_t data[];
};

/* by_key finds an entry by the id of its map, then its key. */
struct conf {
    struct block *blocks;
    size_t allocated;
    uint64_t maps;
    struct table *by_key;
    struct conf_value *root;
};

/* The name under which by_key knows an entry. */
struct index_key {
    uint8_t data[sizeof(uint64_t) + KEY_MAX];
    size_t size;
};

enum status conf_new(struct conf **out, struct error *err)
{
    *out = NULL;
    struct conf *conf = calloc(1, sizeof *conf);
    if (conf == NULL)
        goto no_memory;
    conf->by_key = table_new();
    if (conf->by_key == NULL)
        goto no_memory;
    conf->root = conf_value_new(conf, CONF_MAP);
    if (conf->root == NULL)
        goto no_memory;
    *out = conf;
    return STATUS_OK;
no_memory:
    conf_free(conf);
    return fail(err, STATUS_NO_MEMORY, "configuration: new document");
}

void conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    table_free(conf->by_key);
    while (conf->blocks != NULL) {
        struct block *block = conf->blocks;
        conf->blocks = block->next;
        free(block);
    }
    free(conf);
}

/* ---- memory ---- */

static struct block *block_add(struct conf *conf, size_t least)
{
    size_t size = least > BLOCK_SIZE ? least : BLOCK_SIZE;
    if (size > CONF_MEMORY_MAX - conf->allocated)
        return NULL;
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    conf->allocated += size;
    *block = (struct block){.next = conf->blocks, .size = size};
    conf->blocks = block;
    return block;
}

void *conf_allocate(struct conf *conf, size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    if (size > CONF_MEMORY_MAX)
        return NULL;
    size_t rounded = (size + unit - 1) / unit * unit;
    struct block *block = conf->blocks;
    if (block == NULL || rounded > block->size - block->used)
        block = block_add(conf, rounded);
    if (block == NULL)
        return NULL;
    void *memory = (uint8_t *)block->data + block->used;
    block->used += rounded;
    return memory;
}

const char *conf_copy(struct conf *conf, struct bytes bytes)
{
    char *copy = conf_allocate(conf, bytes.size + 1);
    if (copy == NULL)
        return NULL;
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return copy;
}

/* ---- containers ---- */

struct conf_value *conf_value_new(struct conf *conf, enum conf_type type)
{
    struct conf_value *value = conf_allocate(conf, sizeof *value);
    if (value == NULL)
        return NULL;
    *value = (struct conf_value){.type = type, .key = bytes_text("")};
    value->file = "";
    list_init(&value->link);
    if (type != CONF_ARRAY && type != CONF_MAP)
        return value;
    struct conf_items *items = conf_allocate(conf, sizeof *items);
    if (items == NULL)
        return NULL;
    list_init(&items->values);
    items->id = conf->maps++;
    value->as.items = items;
    return value;
}

static bool index_key(const struct conf_value *map, struct bytes key,
                      struct index_key *out)
{
    if (key.size > KEY_MAX)
        return false;
    memcpy(out->data, &map->as.items->id, sizeof map->as.items->id);
    if (key.size > 0)
        memcpy(out->data + sizeof map->as.items->id, key.data, key.size);
    out->size = sizeof map->as.items->id + key.size;
    return true;
}

const struct conf_value *
conf_get(struct conf *conf, const struct conf_value *map, struct bytes key)
{
    struct index_key name;
    if (!index_key(map, key, &name))
        return NULL;
    return table_get(conf->by_key, name.data, name.size);
}

bool conf_put(struct conf *conf, struct conf_value *map, struct bytes key,
              struct conf_value *value)
{
    struct index_key name;
    const char *copy = conf_copy(conf, key);
    if (copy == NULL || !index_key(map, key, &name))
        return false;
    struct conf_value *earlier = table_get(conf->by_key, name.data, name.size);
    if (!table_put(conf->by_key, name.data, name.size, value))
        return false;
    if (earlier != NULL)
        list_remove(&earlier->link);
    value->key = bytes_of(copy, key.size);
    list_append(&map->as.items->values, &value->link);
    return true;
}

void conf_append(struct conf_value *array, struct conf_value *value)
{
    list_append(&array->as.items->values, &value->link);
}

bool conf_merge(struct conf *conf, struct conf_value *map,
                struct conf_value *from)
{
    while (!list_empty(&from->as.items->values)) {
        struct conf_value *value = list_entry(list_pop(&from->as.items->values),
                                              struct conf_value, link);
        if (!conf_put(conf, map, value->key, value))
            return false;
    }
    return true;
}

void conf_set_root(struct conf *conf, struct conf_value *root)
{
    conf->root = root;
}

/* ---- reading ---- */

const struct conf_value *conf_root(const struct conf *conf)
{
    return conf->root;
}

static const struct conf_value *value_at(const struct conf_value *container,
                                         const struct list *link)
{
    if (link == &container->as.items->values)
        return NULL;
    return list_entry(link, const struct conf_value, link);
}

const struct conf_value *conf_first(const struct conf_value *container)
{
    return value_at(container, container->as.items->values.next);
}

const struct conf_value *conf_next(const struct conf_value *container,
                                   const struct conf_value *value)
{
    return value_at(container, value->link.next);
}

const struct conf_value *conf_find(const struct conf_value *map,
                                   const char *name)
{
    const struct conf_value *found = NULL;
    const struct conf_value *value = conf_first(map);
    for (; value != NULL; value = conf_next(map, value)) {
        if (strcasecmp((const char *)value->key.data, name) == 0)
            found = value;
    }
    return found;
}

const char *conf_type_name(enum conf_type type)
{
    switch (type) {
    case CONF_STRING:
        return "string";
    case CONF_BOOLEAN:
        return "bool";
    case CONF_INTEGER:
        return "int64";
    case CONF_FLOAT:
        return "float64";
    case CONF_DATETIME:
        return "struct";
    case CONF_ARRAY:
        return "slice";
    case CONF_MAP:
        break;
    }
    return "map";
}

const char *conf_show(const struct conf_value *value, char out[CONF_SHOWN_MAX])
{
    switch (value->type) {
    case CONF_STRING:
        (void)snprintf(out, CONF_SHOWN_MAX, "%s",
                       (const char *)value->as.string.data);
        break;
    case CONF_BOOLEAN:
        (void)snprintf(out, CONF_SHOWN_MAX, "%s",
                       value->as.boolean ? "true" : "false");
        break;
    case CONF_INTEGER:
        (void)snprintf(out, CONF_SHOWN_MAX, "%" PRId64, value->as.integer);
        break;
    case CONF_FLOAT:
        (void)snprintf(out, CONF_SHOWN_MAX, "%g", value->as.real);
        break;
    case CONF_DATETIME:
        (void)snprintf(out, CONF_SHOWN_MAX, "a date");
        break;
    case CONF_ARRAY:
        (void)snprintf(out, CONF_SHOWN_MAX, "[...]");
        break;
    case CONF_MAP:
        (void)snprintf(out, CONF_SHOWN_MAX, "{...}");
        break;
    }
    return out;
}
