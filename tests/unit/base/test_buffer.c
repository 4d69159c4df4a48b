#include "streamd/base/buffer.h"

#include "tests/unit/base/allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdlib.h>

static void bytes_compare_by_size_and_content(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0b", 3)));
    assert_false(bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0c", 3)));
    assert_false(bytes_equal(bytes_text("a"), bytes_text("ab")));
    assert_true(bytes_equal(bytes_of(NULL, 0), bytes_text("")));
}

static void a_copy_is_terminated_and_keeps_inner_nuls(void **state)
{
    (void)state;
    char *copy = bytes_copy(bytes_of("a\0b", 3));
    assert_non_null(copy);
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);
    copy = bytes_copy(bytes_of(NULL, 0));
    assert_non_null(copy);
    assert_string_equal(copy, "");
    free(copy);
}

static void a_buffer_lives_until_its_last_reference_goes(void **state)
{
    (void)state;
    struct buffer *buffer = buffer_new(8);
    assert_non_null(buffer);
    assert_int_equal(buffer->used, 0);
    assert_int_equal(buffer->capacity, 8);
    memcpy(buffer->data, "abcdefgh", 8);
    buffer->used = 8;
    assert_ptr_equal(buffer_ref(buffer), buffer);
    buffer_ref_many(buffer, 2);
    for (int i = 0; i < 3; i++)
        buffer_unref(buffer);
    struct slice slice = {.buffer = buffer, .offset = 2, .size = 3};
    assert_true(bytes_equal(slice_bytes(slice), bytes_text("cde")));
    assert_int_equal(buffer->references, 1);
    buffer_unref(buffer); /* the leak checker sees if it stays */
    buffer_unref(NULL);
}

static void a_buffer_of_impossible_size_is_refused(void **state)
{
    (void)state;
    assert_null(buffer_new(SIZE_MAX));
    assert_null(buffer_new(SIZE_MAX - sizeof(struct buffer) + 1));
}

static void a_blob_grows_and_keeps_its_bytes(void **state)
{
    (void)state;
    struct blob blob = {0};
    assert_true(blob_append(&blob, NULL, 0));
    for (int i = 0; i < 10000; i++) {
        uint8_t byte = (uint8_t)i;
        assert_true(blob_append(&blob, &byte, 1));
    }
    assert_int_equal(blob_bytes(&blob).size, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(blob.data[i], (uint8_t)i);
    assert_true(blob_reserve(&blob, 100000));
    assert_true(blob.capacity - blob.size >= 100000);
    assert_int_equal(blob.size, 10000);
    blob_release(&blob);
    assert_null(blob.data);
    assert_int_equal(blob.capacity, 0);
}

static void a_failed_append_leaves_the_blob_as_it_was(void **state)
{
    (void)state;
    struct blob blob = {0};
    assert_true(blob_append(&blob, "abc", 3));
    struct blob before = blob;
    assert_false(blob_reserve(&blob, SIZE_MAX));
    assert_false(blob_reserve(&blob, SIZE_MAX / 2));
    static const uint8_t much[1000];
    allocation_break(0);
    bool ok = blob_append(&blob, much, sizeof much);
    char *copy = bytes_copy(blob_bytes(&blob));
    struct buffer *buffer = buffer_new(1);
    allocation_repair();
    assert_false(ok);
    assert_null(copy);
    assert_null(buffer);
    assert_ptr_equal(blob.data, before.data);
    assert_int_equal(blob.size, before.size);
    assert_int_equal(blob.capacity, before.capacity);
    assert_memory_equal(blob.data, "abc", 3);
    blob_release(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_compare_by_size_and_content),
        cmocka_unit_test(a_copy_is_terminated_and_keeps_inner_nuls),
        cmocka_unit_test(a_buffer_lives_until_its_last_reference_goes),
        cmocka_unit_test(a_buffer_of_impossible_size_is_refused),
        cmocka_unit_test(a_blob_grows_and_keeps_its_bytes),
        cmocka_unit_test(a_failed_append_leaves_the_blob_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
