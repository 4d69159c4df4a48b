/* The parser of configuration files, and the writer of what a nats-server is
 * given. What came out is walked: all of it must be readable, and keys must be
 * found again. It is written, read again, and must be the same. Nothing lies
 * beside the file. */
#include "streamd/conf/parser.h"
#include "streamd/conf/writer.h"
#include "tests/fuzz/fuzz_target.h"

static uint64_t entry_read(const struct conf_value *map,
                           const struct conf_value *value)
{
    char shown[CONF_SHOWN_MAX];
    uint64_t sum = (uint64_t)strlen(conf_show(value, shown));
    fuzz_require(strlen(shown) < CONF_SHOWN_MAX);
    fuzz_require(value->line > 0 && value->column > 0);
    fuzz_require(value->key.data[value->key.size] == '\0');
    if (map->type == CONF_MAP) {
        const struct conf_value *found =
            conf_find(map, (const char *)value->key.data);
        fuzz_require(found != NULL);
    }
    if (value->type == CONF_STRING) {
        for (size_t i = 0; i < value->as.string.size; i++)
            sum += value->as.string.data[i];
        fuzz_require(value->as.string.data[value->as.string.size] == '\0');
    }
    return sum;
}

/* ---- written and read again ---- */

enum { NESTED_MAX = 70, WRITTEN_MAX = 1 << 20 };

static void same_scalar(const struct conf_value *a, const struct conf_value *b)
{
    switch (a->type) {
    case CONF_STRING:
        fuzz_require(bytes_equal(a->as.string, b->as.string));
        return;
    case CONF_BOOLEAN:
        fuzz_require(a->as.boolean == b->as.boolean);
        return;
    case CONF_INTEGER:
        fuzz_require(a->as.integer == b->as.integer);
        return;
    case CONF_FLOAT:
        fuzz_require(!(a->as.real < b->as.real || a->as.real > b->as.real));
        return;
    case CONF_DATETIME:
        fuzz_require(a->as.datetime == b->as.datetime);
        return;
    case CONF_ARRAY:
    case CONF_MAP:
        return;
    }
}

/* The entries of two containers, one by one, and of all in them. */
static void same_tree(const struct conf_value *left,
                      const struct conf_value *right)
{
    struct {
        const struct conf_value *left, *right, *a, *b;
    } open[NESTED_MAX];
    int depth = 1;
    open[0].left = left;
    open[0].right = right;
    open[0].a = conf_first(left);
    open[0].b = conf_first(right);
    while (depth > 0) {
        const struct conf_value *a = open[depth - 1].a, *b = open[depth - 1].b;
        fuzz_require((a == NULL) == (b == NULL));
        if (a == NULL || b == NULL) {
            depth--;
            continue;
        }
        fuzz_require(a->type == b->type);
        if (open[depth - 1].left->type == CONF_MAP)
            fuzz_require(bytes_equal(a->key, b->key));
        same_scalar(a, b);
        open[depth - 1].a = conf_next(open[depth - 1].left, a);
        open[depth - 1].b = conf_next(open[depth - 1].right, b);
        if (a->type == CONF_ARRAY || a->type == CONF_MAP) {
            fuzz_require(depth < NESTED_MAX);
            open[depth].left = a;
            open[depth].right = b;
            open[depth].a = conf_first(a);
            open[depth++].b = conf_first(b);
        }
    }
}

/* lines: entries stay on the lines on which they stand, as far as that goes. */
static void written_it_is_the_same(const struct conf_value *root, bool lines)
{
    struct blob text = {0};
    struct conf *conf = NULL;
    struct error err = {0};
    const struct conf_value *first = conf_first(root);
    struct conf_writer writer = {
        .out = &text,
        .most = WRITTEN_MAX,
        .file = lines && first != NULL ? first->file : NULL,
    };
    conf_write_others(&writer, root, "");
    if (writer.status == STATUS_OK) {
        fuzz_require(conf_parse(bytes_of(text.data, text.size), "y.conf", &conf,
                                &err) == STATUS_OK);
        same_tree(root, conf_root(conf));
    } else {
        fuzz_require(writer.status != STATUS_INVALID || writer.problem != NULL);
    }
    conf_free(conf);
    blob_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf = NULL;
    struct error err = {0};
    if (conf_parse(bytes_of(data, size), "/nonexistent/x.conf", &conf, &err) !=
        STATUS_OK) {
        fuzz_require(conf == NULL);
        fuzz_require(err.detail[0] != '\0');
        return 0;
    }
    const struct conf_value *root = conf_root(conf);
    uint64_t sum = 0;
    const struct conf_value *value = conf_first(root);
    for (int i = 0; value != NULL && i < 1000; i++) {
        sum += entry_read(root, value);
        if (value->type == CONF_ARRAY || value->type == CONF_MAP) {
            const struct conf_value *inner = conf_first(value);
            for (int j = 0; inner != NULL && j < 100; j++) {
                sum += entry_read(value, inner);
                inner = conf_next(value, inner);
            }
        }
        value = conf_next(root, value);
    }
    fuzz_require(sum != UINT64_MAX); /* all of it was read */
    written_it_is_the_same(root, false);
    written_it_is_the_same(root, true);
    conf_free(conf);
    return 0;
}
