/* Our codec and protobuf-c on the same payloads. */
#include "proto/codec.h"
#include "tests/unit/proto/damage.h"
#include "tests/unit/proto/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdlib.h>

/* A member of ours that no decoder has written. */
enum { UNSET = 0xa5 };

struct ours {
    _Alignas(max_align_t) unsigned char data[REFERENCE_SIZE];
};

static struct blob pack(const ProtobufCMessage *message)
{
    struct blob blob = {0};
    assert_true(
        blob_reserve(&blob, protobuf_c_message_get_packed_size(message) + 1));
    blob.size = protobuf_c_message_pack(message, blob.data);
    return blob;
}

/* Decodes a copy that ends where its memory ends, so that a sanitizer sees a
 * read behind it. *copy is the caller's: what is decoded points into it. */
static bool decode_exact(const struct reference *reference, struct bytes input,
                         struct ours *out, uint8_t **copy)
{
    *copy = malloc(input.size == 0 ? 1 : input.size);
    assert_non_null(*copy);
    if (input.size > 0)
        memcpy(*copy, input.data, input.size);
    memset(out->data, UNSET, sizeof out->data);
    return reference->decode(bytes_of(*copy, input.size), out->data);
}

static void valid_messages_decode_as_in_protobuf_c(void **state)
{
    (void)state;
    struct random random;
    random_init(&random);
    for (int round = 0; round < 3000; round++) {
        for (size_t i = 0; i < reference_count; i++) {
            const struct reference *reference = &references[i];
            if (reference->decode == NULL)
                continue;
            ProtobufCMessage *message = reference_random(reference, &random);
            struct blob blob = pack(message);
            struct ours ours;
            uint8_t *copy;
            assert_true(
                decode_exact(reference, blob_bytes(&blob), &ours, &copy));
            reference_compare(reference, ours.data, message);
            free(copy);
            blob_release(&blob);
            protobuf_c_message_free_unpacked(message, NULL);
        }
    }
}

static void what_we_encode_is_what_protobuf_c_reads(void **state)
{
    (void)state;
    struct random random;
    random_init(&random);
    for (int round = 0; round < 3000; round++) {
        for (size_t i = 0; i < reference_count; i++) {
            const struct reference *reference = &references[i];
            if (reference->encode == NULL)
                continue;
            /* ours is a struct of ours with the members of the twin */
            ProtobufCMessage *message = reference_random(reference, &random);
            struct ours ours = {{0}};
            reference_copy(reference, message, ours.data);
            struct blob blob = {0};
            assert_true(blob_append(&blob, "before", 6));
            assert_true(reference->encode(ours.data, &blob));
            ProtobufCMessage *back = protobuf_c_message_unpack(
                reference->descriptor, NULL, blob.size - 6, blob.data + 6);
            assert_non_null(back);
            assert_memory_equal(blob.data, "before", 6);
            reference_compare(reference, ours.data, back);
            /* Canonical: ascending, defaults left out, so the same bytes. */
            struct blob again = pack(back);
            assert_true(bytes_equal(blob_bytes(&again),
                                    bytes_of(blob.data + 6, blob.size - 6)));
            blob_release(&again);
            blob_release(&blob);
            protobuf_c_message_free_unpacked(back, NULL);
            protobuf_c_message_free_unpacked(message, NULL);
        }
    }
}

/* Both read input; where they disagree a known difference is there. */
static void compare_hostile(const struct reference *reference,
                            struct bytes input, unsigned *seen)
{
    struct ours ours;
    uint8_t *copy;
    bool ok = decode_exact(reference, input, &ours, &copy);
    ProtobufCMessage *theirs = protobuf_c_message_unpack(
        reference->descriptor, NULL, input.size, copy);
    unsigned known = differences(input, reference->descriptor);
    if (ok != (theirs != NULL)) {
        if (known == 0) {
            fail_msg("%s of %zu bytes: we say %d", reference->descriptor->name,
                     input.size, ok);
        }
        *seen |= known;
    } else if (ok && known == 0) {
        reference_compare(reference, ours.data, theirs);
    }
    if (theirs != NULL)
        protobuf_c_message_free_unpacked(theirs, NULL);
    free(copy);
}

static void
damaged_messages_are_judged_as_by_protobuf_c_or_section_4(void **state)
{
    (void)state;
    struct random random;
    random_init(&random);
    unsigned seen = 0;
    for (int round = 0; round < 4000; round++) {
        for (size_t i = 0; i < reference_count; i++) {
            const struct reference *reference = &references[i];
            if (reference->decode == NULL)
                continue;
            ProtobufCMessage *message = reference_random(reference, &random);
            struct blob blob = pack(message);
            do {
                damage(&blob, &random);
                compare_hostile(reference, blob_bytes(&blob), &seen);
            } while (random_below(&random, 3) != 0);
            blob_release(&blob);
            protobuf_c_message_free_unpacked(message, NULL);
        }
    }
    /* The test would be blind if it had never met what is different. */
    assert_int_equal(seen & DIFFERENCE_GROUP, DIFFERENCE_GROUP);
    assert_int_equal(seen & DIFFERENCE_TAG, DIFFERENCE_TAG);
    assert_int_equal(seen & DIFFERENCE_ZERO, DIFFERENCE_ZERO);
    assert_int_equal(seen & DIFFERENCE_LENGTH, DIFFERENCE_LENGTH);
    assert_int_equal(seen & DIFFERENCE_BOOL_TYPE, DIFFERENCE_BOOL_TYPE);
}

static void noise_is_judged_as_by_protobuf_c_or_section_4(void **state)
{
    (void)state;
    struct random random;
    random_init(&random);
    unsigned seen = 0;
    for (int round = 0; round < 50000; round++) {
        uint8_t noise[24];
        size_t size = random_below(&random, sizeof noise + 1);
        for (size_t i = 0; i < size; i++) {
            noise[i] = (uint8_t)(random_next(&random) >> 8) &
                       (random_below(&random, 2) == 0 ? 0x1f : 0xff);
        }
        for (size_t i = 0; i < reference_count; i++) {
            if (references[i].decode != NULL)
                compare_hostile(&references[i], bytes_of(noise, size), &seen);
        }
    }
}

/* Cuts a message at every byte: what was whole before the cut is there. */
static void fields_before_the_end_of_a_cut_message_are_kept(void **state)
{
    (void)state;
    struct random random;
    random_init(&random);
    for (int round = 0; round < 30; round++) {
        for (size_t i = 0; i < reference_count; i++) {
            const struct reference *reference = &references[i];
            if (reference->decode == NULL || reference->size == 0)
                continue;
            ProtobufCMessage *message = reference_random(reference, &random);
            struct blob blob = pack(message);
            struct ours whole; /* the longest that was whole so far */
            struct ours cut;
            size_t most = blob.size < 500 ? blob.size : 500;
            for (size_t size = 0; size <= most; size++) {
                memset(&cut, UNSET, sizeof cut);
                /* in place: the members are then the same pointers */
                if (reference->decode(bytes_of(blob.data, size), cut.data))
                    whole = cut;
                assert_memory_equal(whole.data, cut.data, reference->size);
            }
            blob_release(&blob);
            protobuf_c_message_free_unpacked(message, NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_messages_decode_as_in_protobuf_c),
        cmocka_unit_test(what_we_encode_is_what_protobuf_c_reads),
        cmocka_unit_test(
            damaged_messages_are_judged_as_by_protobuf_c_or_section_4),
        cmocka_unit_test(noise_is_judged_as_by_protobuf_c_or_section_4),
        cmocka_unit_test(fields_before_the_end_of_a_cut_message_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
