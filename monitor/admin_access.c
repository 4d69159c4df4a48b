#include "monitor/admin_access.h"

#include "streamd/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGEST_SIZE = 32, FILE_MOST = 4096, PEERS = 64 };

/* Wrong tokens that one peer sent in one second. A slot is taken over by
 * whoever hashes to it: then the older one begins anew. */
struct failures {
    uint64_t peer; /* hash */
    int64_t since;
    unsigned count;
};

struct admin_access {
    pthread_mutex_t lock; /* of digest and peers */
    uint8_t digest[DIGEST_SIZE];
    struct failures peers[PEERS];
    char *path;
    struct log *log;
    const struct clock *clock;
};

static bool digest_of(struct bytes token, uint8_t digest[DIGEST_SIZE])
{
    unsigned size = 0;
    return EVP_Digest(token.data, token.size, digest, &size, EVP_sha256(),
                      NULL) == 1 &&
           size == DIGEST_SIZE;
}

/* ---- the file ---- */

static enum status read_file(const char *path, struct log *log,
                             uint8_t text[FILE_MOST], size_t *size,
                             struct error *err)
{
    struct stat stat;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &stat) != 0) {
        int saved = errno;
        if (file >= 0)
            (void)close(file);
        return fail(err, STATUS_IO, "admin token file %s: %s", path,
                    strerror(saved));
    }
    ssize_t got = S_ISREG(stat.st_mode) ? read(file, text, FILE_MOST) : 0;
    int saved = errno;
    (void)close(file);
    if (!S_ISREG(stat.st_mode))
        return fail(err, STATUS_INVALID, "admin token file %s: no file", path);
    if (got < 0) {
        return fail(err, STATUS_IO, "admin token file %s: %s", path,
                    strerror(saved));
    }
    if ((stat.st_mode & S_IROTH) != 0) {
        log_warn(log,
                 "Admin token file %s can be read by everybody on this "
                 "machine",
                 path);
    }
    *size = (size_t)got;
    return STATUS_OK;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && is_space(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* The digest of the token in the file. The errors never show what is in it. */
static enum status load(const char *path, struct log *log,
                        uint8_t digest[DIGEST_SIZE], struct error *err)
{
    uint8_t text[FILE_MOST];
    size_t size = 0;
    enum status status = read_file(path, log, text, &size, err);
    if (status != STATUS_OK)
        return status;
    struct bytes token = trim(bytes_of(text, size));
    bool visible = true;
    for (size_t i = 0; i < token.size; i++)
        visible = visible && token.data[i] > ' ' && token.data[i] < 0x7F;
    if (!visible || token.size < ADMIN_TOKEN_MIN ||
        token.size > ADMIN_TOKEN_MAX) {
        status = fail(err, STATUS_INVALID,
                      "admin token file %s: not a token of %d to %d visible "
                      "ASCII characters",
                      path, ADMIN_TOKEN_MIN, ADMIN_TOKEN_MAX);
    } else if (!digest_of(token, digest)) {
        status = fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    OPENSSL_cleanse(text, sizeof text);
    return status;
}

enum status admin_access_new(const char *path, struct log *log,
                             const struct clock *clock,
                             struct admin_access **out, struct error *err)
{
    *out = NULL;
    struct admin_access *access = calloc(1, sizeof *access);
    if (access == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    access->path = strdup(path);
    enum status status = access->path == NULL
                             ? fail(err, STATUS_NO_MEMORY, "out of memory")
                             : load(path, log, access->digest, err);
    if (status != STATUS_OK) {
        free(access->path);
        free(access);
        return status;
    }
    (void)pthread_mutex_init(&access->lock, NULL);
    access->log = log;
    access->clock = clock;
    *out = access;
    return STATUS_OK;
}

void admin_access_free(struct admin_access *access)
{
    if (access == NULL)
        return;
    (void)pthread_mutex_destroy(&access->lock);
    free(access->path);
    free(access);
}

enum status admin_access_reload(struct admin_access *access, struct error *err)
{
    uint8_t digest[DIGEST_SIZE];
    enum status status = load(access->path, access->log, digest, err);
    if (status != STATUS_OK)
        return status;
    (void)pthread_mutex_lock(&access->lock);
    memcpy(access->digest, digest, sizeof digest);
    (void)pthread_mutex_unlock(&access->lock);
    return STATUS_OK;
}

/* ---- checking ---- */

/* FNV-1a of the peer without its port. */
static uint64_t peer_hash(const char *peer)
{
    const char *colon = strrchr(peer, ':');
    size_t size = colon == NULL ? strlen(peer) : (size_t)(colon - peer);
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)peer[i]) * UINT64_C(1099511628211);
    return hash;
}

/* The count of this peer, of the second that runs. */
static struct failures *failures_of(struct admin_access *access,
                                    const char *peer)
{
    uint64_t hash = peer_hash(peer);
    int64_t now = clock_monotonic(access->clock);
    struct failures *failures = &access->peers[hash % PEERS];
    if (failures->peer != hash || now - failures->since >= CLOCK_SECOND)
        *failures = (struct failures){.peer = hash, .since = now};
    return failures;
}

/* With the lock. */
static bool digest_equal(const struct admin_access *access,
                         const uint8_t digest[DIGEST_SIZE])
{
    return CRYPTO_memcmp(digest, access->digest, DIGEST_SIZE) == 0;
}

bool admin_access_knows(struct admin_access *access, struct bytes token)
{
    uint8_t digest[DIGEST_SIZE] = {0};
    bool digested = digest_of(token, digest);
    (void)pthread_mutex_lock(&access->lock);
    bool equal = digest_equal(access, digest);
    (void)pthread_mutex_unlock(&access->lock);
    return digested && equal;
}

enum admin_verdict admin_access_check(struct admin_access *access,
                                      struct bytes token, const char *peer)
{
    uint8_t digest[DIGEST_SIZE] = {0};
    char shown[TEXT_QUOTED_MAX];
    bool digested = digest_of(token, digest);
    enum admin_verdict verdict = ADMIN_GRANTED;
    (void)pthread_mutex_lock(&access->lock);
    struct failures *failures = failures_of(access, peer);
    if (failures->count >= ADMIN_FAILURES_MAX) {
        verdict = ADMIN_LIMITED;
    } else if (!digested || !digest_equal(access, digest)) {
        failures->count++;
        verdict = ADMIN_DENIED;
    }
    (void)pthread_mutex_unlock(&access->lock);
    if (verdict == ADMIN_DENIED) {
        log_warn(access->log, "Admin %s: refused: %s",
                 text_quote(bytes_text(peer), shown),
                 token.size == 0 ? "no token" : "wrong token");
    }
    return verdict;
}

void admin_note(struct log *log, const char *peer, const char *what,
                const char *refused)
{
    char by[TEXT_QUOTED_MAX];
    char shown[TEXT_QUOTED_MAX];
    log_info(log, "Admin %s: %s: refused: %s", text_quote(bytes_text(peer), by),
             text_quote(bytes_text(what), shown), refused);
}
