#include "streamd/conf/source.h"

#include "streamd/conf/parser.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PART = 16 << 10 };

/* The system's text as the Go server shows it, which begins lower case. */
static enum status failed(const char *what, const char *path, int code,
                          struct error *err)
{
    char reason[128];
    (void)snprintf(reason, sizeof reason, "%s", strerror(code));
    reason[0] = (char)tolower((unsigned char)reason[0]);
    return fail(err, STATUS_IO, "%s %s: %s", what, path, reason);
}

static enum status descriptor_read(int descriptor, const char *path,
                                   struct blob *text, struct error *err)
{
    size_t before = text->size;
    for (;;) {
        if (!blob_reserve(text, PART))
            return fail(err, STATUS_NO_MEMORY, "read %s: out of memory", path);
        ssize_t size = read(descriptor, text->data + text->size, PART);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return failed("read", path, errno, err);
        if (size == 0)
            return STATUS_OK;
        text->size += (size_t)size;
        if (text->size - before > CONF_FILE_MAX) {
            return fail(err, STATUS_TOO_BIG,
                        "read %s: a configuration file of more than %d bytes",
                        path, (int)CONF_FILE_MAX);
        }
    }
}

enum status source_read(const char *path, struct blob *text, struct error *err)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return failed("open", path, errno, err);
    enum status status = descriptor_read(descriptor, path, text, err);
    (void)close(descriptor);
    return status;
}

char *source_beside(const char *path, const char *included)
{
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
    char *joined = NULL;
    if (asprintf(&joined, "%.*s%s", folder, path, included) < 0)
        return NULL;
    if (included[0] != '/' || access(joined, F_OK) == 0)
        return joined;
    free(joined);
    return strdup(included);
}
