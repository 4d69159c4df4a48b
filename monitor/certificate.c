#include "monitor/certificate.h"

#include "streamd/base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

static enum status failed(struct error *err, enum status status,
                          const char *path, const char *reason)
{
    return fail(err, status, "error loading X509 certificate/key pair: %s: %s",
                path, reason);
}

static void text_wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static enum status file_append(int file, const char *path, struct blob *content,
                               struct error *err)
{
    for (;;) {
        if (!blob_reserve(content, READ_BYTES + 1))
            return failed(err, STATUS_NO_MEMORY, path, "out of memory");
        ssize_t more = read(file, content->data + content->size, READ_BYTES);
        if (more < 0)
            return failed(err, STATUS_IO, path, strerror(errno));
        content->size += (size_t)more;
        content->data[content->size] = '\0';
        if (more == 0 && content->size == 0)
            return failed(err, STATUS_IO, path, "the file is empty");
        if (more == 0)
            return STATUS_OK;
        if (content->size > CERTIFICATE_FILE_MAX)
            return failed(err, STATUS_TOO_BIG, path, "the file is too big");
    }
}

static enum status file_read(const char *path, char **text, struct error *err)
{
    struct blob content = {0};
    *text = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return failed(err, STATUS_IO, path, strerror(errno));
    enum status status = file_append(file, path, &content, err);
    (void)close(file);
    if (status == STATUS_OK) {
        *text = (char *)content.data;
    } else {
        blob_release(&content);
    }
    return status;
}

enum status certificate_load(const char *chain_path, const char *key_path,
                             struct certificate *certificate, struct error *err)
{
    enum status status = file_read(chain_path, &certificate->chain, err);
    if (status == STATUS_OK)
        status = file_read(key_path, &certificate->key, err);
    return status;
}

void certificate_release(struct certificate *certificate)
{
    free(certificate->chain);
    text_wipe(certificate->key);
    *certificate = (struct certificate){0};
}
