/* What an administrator sends: JSON to a request of each verb. Whatever is
 * taken must be in range, and the token that is found before anything is parsed
 * the one that parsing finds. */
#include "monitor/admin_parse.h"
#include "monitor/admin_token.h"
#include "tests/fuzz/fuzz_target.h"

static void check(const struct admin_request *request)
{
    fuzz_require(request->limit <= ADMIN_LIST_MAX);
    fuzz_require(request->sequence <= INT64_MAX);
    fuzz_require(request->subscription <= INT64_MAX);
    fuzz_require(request->time >= 0);
    fuzz_require(request->verb == ADMIN_CLOSE_CLIENT
                     ? request->client_id.size > 0
                     : request->channel.size > 0);
}

/* The first byte chooses the verb; what is behind it is the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct admin_document *document = NULL;
    struct admin_request request = {0};
    struct text token = {0};
    struct error err = {0};
    if (size == 0)
        return 0;
    enum admin_verb verb = data[0] % ADMIN_VERBS;
    struct bytes body = bytes_of(data + 1, size - 1);
    char found[ADMIN_TOKEN_MAX];
    size_t found_size = admin_token_find(body, found);
    if (admin_document_new(body, &document, &err) != STATUS_OK) {
        fuzz_require(document == NULL && err.detail[0] != '\0');
        return 0;
    }
    fuzz_require(admin_document_take(document, "token", &token));
    fuzz_require(found_size == 0 ||
                 bytes_equal(bytes_of(found, found_size), text_bytes(&token)));
    if (admin_document_request(document, verb, &request, &err) == STATUS_OK) {
        check(&request);
    } else {
        fuzz_require(err.detail[0] != '\0');
    }
    admin_request_release(&request);
    admin_document_free(document);
    text_release(&token);
    return 0;
}
