/* The NATS protocol as a server speaks it. The first byte says where the
 * stream is cut: one half after the other must read as both at once. INFO and
 * what it says is read, too. */
#include "natsclient/frame.h"
#include "natsclient/info.h"
#include "tests/fuzz/fuzz_target.h"

#include <string.h>

#define PAYLOAD_MAX 4096

static uint64_t info_sum(struct bytes json)
{
    struct info info;
    struct urls urls = {0};
    uint64_t sum = 0;
    if (info_read(json, &info, &urls, NULL) == STATUS_OK)
        sum = info.max_payload;
    for (int i = 0; i < urls.count; i++)
        sum += strlen(urls.items[i]);
    urls_release(&urls);
    return sum;
}

static uint64_t frame_sum(const struct frame *frame)
{
    uint64_t sum = frame->sid * 31 + (uint64_t)frame->type;
    if (frame->subject != NULL)
        sum += strlen(frame->subject) * 3;
    if (frame->reply != NULL)
        sum += strlen(frame->reply) * 7;
    fuzz_require(frame->data.size <= PAYLOAD_MAX);
    for (size_t i = 0; i < frame->data.size; i++)
        sum += frame->data.data[i];
    for (size_t i = 0; i < frame->text.size; i++)
        sum += frame->text.data[i];
    return sum;
}

/* Reads what is complete; *at moves behind it. False when it is broken. */
static bool read_frames(char *data, size_t size, size_t *at, uint64_t *sum)
{
    while (*at < size) {
        struct frame frame;
        frame_read(data + *at, size - *at, PAYLOAD_MAX, &frame);
        if (frame.type == FRAME_BROKEN)
            return false;
        if (frame.type == FRAME_PARTIAL) {
            fuzz_require(frame.size > size - *at);
            return true;
        }
        fuzz_require(frame.size > 0 && frame.size <= size - *at);
        *sum = *sum * 5 + frame_sum(&frame);
        if (frame.type == FRAME_INFO)
            *sum += info_sum(frame.text);
        *at += frame.size;
    }
    return true;
}

/* Reads data[0..cut], then all of it. */
static uint64_t read_cut(const uint8_t *data, size_t size, size_t cut)
{
    uint64_t sum = 0;
    size_t at = 0;
    /* Of the exact size, so that a read behind it is seen. */
    char *part = malloc(cut > 0 ? cut : 1);
    char *whole = malloc(size > 0 ? size : 1);
    fuzz_require(part != NULL && whole != NULL);
    memcpy(part, data, cut);
    memcpy(whole, data, size);
    if (read_frames(part, cut, &at, &sum))
        (void)read_frames(whole, size, &at, &sum);
    free(part);
    free(whole);
    return sum * 31 + at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t cut = data[0];
    data++;
    size--;
    if (cut > size)
        cut = size;
    fuzz_require(read_cut(data, size, cut) == read_cut(data, size, 0));
    return 0;
}
