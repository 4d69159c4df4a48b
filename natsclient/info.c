#include "natsclient/info.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void add_members(const json_t *list, struct urls *urls)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *address = json_string_value(json_array_get(list, i));
        if (address == NULL || address[0] == '\0' ||
            strlen(address) > URL_LENGTH_MAX - 8 ||
            strpbrk(address, " \t\r\n,@/") != NULL)
            continue;
        char url[URL_LENGTH_MAX + 1];
        (void)snprintf(url, sizeof url, "nats://%s", address);
        if (urls_add(urls, url, NULL) != STATUS_OK)
            return; /* what is left out is no loss */
    }
}

enum status info_read(struct bytes json, struct info *out, struct urls *urls,
                      struct error *err)
{
    *out = (struct info){0};
    json_error_t why;
    json_t *root = json_loadb((const char *)json.data, json.size, 0, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return fail(err, STATUS_INVALID, "nats: INFO is no JSON object");
    }
    json_int_t max_payload =
        json_integer_value(json_object_get(root, "max_payload"));
    if (max_payload > 0)
        out->max_payload = (size_t)max_payload;
    out->lame_duck = json_is_true(json_object_get(root, "ldm"));
    add_members(json_object_get(root, "connect_urls"), urls);
    json_decref(root);
    return STATUS_OK;
}
