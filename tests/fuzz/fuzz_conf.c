/* The parser of configuration files. What came out is walked: all of it must
 * be readable, and keys must be found again. Nothing lies beside the file. */
#include "streamd/conf/parser.h"
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
    conf_free(conf);
    return 0;
}
