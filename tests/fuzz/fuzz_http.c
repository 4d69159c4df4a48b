/* A request's target, and one header: each is answered, by a whole reply. */
#include "fuzz_target.h"

#include "monitor/metrics.h"
#include "monitor/nats_pages.h"
#include "monitor/query.h"
#include "tests/unit/monitor/fake_source.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct reply *reply)
{
    fuzz_require(reply->status >= 200 && reply->status < 600);
    for (size_t i = 0; i < reply->headers_size; i++)
        fuzz_require(strpbrk(reply->headers[i].value, "\r\n") == NULL);
    /* Nothing of a request becomes part of a page that is rendered. */
    if (reply->content_type != NULL &&
        strncmp(reply->content_type, "text/html", 9) == 0) {
        fuzz_require(memmem(reply->body.data, reply->body.size, "<script", 7) ==
                     NULL);
    }
}

/* Cleaning once is enough: a second time changes nothing. */
static void check_path(const char *target)
{
    struct blob path;
    if (query_path(target, &path) != STATUS_OK)
        return;
    (void)query_path_clean(&path);
    fuzz_require(path.size > 0 && path.data[0] == '/');
    fuzz_require(!query_path_clean(&path));
    blob_release(&path);
}

static char *text_of(const uint8_t *data, size_t size)
{
    char *text = bytes_copy(bytes_of(data, size));
    if (text == NULL)
        abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    size_t target_size = line == NULL ? size : (size_t)(line - data);
    char *target = text_of(data, target_size);
    char *accept = line == NULL ? text_of(NULL, 0)
                                : text_of(line + 1, size - target_size - 1);
    struct fake_source fake;
    fake_source_init(&fake);
    struct endpoints endpoints = {.source = &fake.source,
                                  .limits = &limits_default,
                                  .clock = &fake_clock,
                                  .version = "0.25.6",
                                  .streamd_version = "0.1.0"};
    struct metrics_page metrics = {.source = &fake.source,
                                   .clock = &fake_clock,
                                   .version = "0.25.6",
                                   .streamd_version = "0.1.0",
                                   .server_id = "http://localhost:8222",
                                   .max_channels = 10,
                                   .inbox = true};
    struct nats_pages pages = {.source = &fake.source,
                               .clock = &fake_clock,
                               .child = "",
                               .version = "0.25.6"};
    const struct route_set sets[] = {endpoints_routes(&endpoints),
                                     metrics_routes(&metrics),
                                     nats_pages_routes(&pages)};
    const struct router router = {.sets = sets, .size = 3};
    const struct header headers[] = {{"Accept", accept}};
    const struct request request = {.method = "GET",
                                    .target = target,
                                    .headers = headers,
                                    .headers_size = 1};
    struct reply reply;
    router_answer(&router, &request, &reply);
    check(&reply);
    http_release(&reply);
    check_path(target);
    free(target);
    free(accept);
    return 0;
}
