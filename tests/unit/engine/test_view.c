/* What monitoring gets to see: lists in order and in slices. */
#include "tests/unit/engine/engine_test.h"

enum { MANY = 2 * VIEW_SLICE_ENTRIES + 10 };

static struct view *view(struct fixture *f, const struct view_query *query)
{
    struct view *out = NULL;
    assert_int_equal(engine_view(f->engine, query, &out, NULL), STATUS_OK);
    return out;
}

static const char *number_name(struct fixture *f, int number)
{
    return fixture_text(f, "c%04d", number);
}

static struct fixture *with_channels(int count)
{
    struct fixture_options options = fixture_defaults;
    options.limits.max_channels = 0;
    options.limits.global.max_subscriptions = 0;
    struct fixture *f = engine_test_begin(&options);
    for (int i = 0; i < count; i++) /* in no order: 7 does not divide it */
        OK(client_publish(f, "me", number_name(f, i * 7 % count), "x"));
    return f;
}

/* monitoring.md 8, 13 */
static void a_long_list_comes_in_slices_that_fit_together(void **s)
{
    (void)s;
    struct fixture *f = with_channels(MANY);
    struct view_query query = {
        .kind = VIEW_CHANNELS, .offset = 5, .limit = 1000};
    struct view *whole = view(f, &query);
    assert_int_equal(whole->channels_size, VIEW_SLICE_ENTRIES);
    assert_int_equal(whole->channels_total, MANY);
    while (whole->more) {
        query.behind = view_last(whole);
        query.limit = 1000 - whole->channels_size;
        assert_int_equal(view_append(whole, view(f, &query)), STATUS_OK);
    }
    assert_int_equal(whole->channels_size, MANY - 5);
    for (int i = 5; i < MANY; i++) {
        assert_string_equal(whole->channels[i - 5].name.text,
                            number_name(f, i));
        assert_int_equal(whole->channels[i - 5].messages, 1);
    }
    view_free(whole);
    engine_test_end(f);
}

/* M10 */
static void a_window_that_fits_is_whole(void **s)
{
    (void)s;
    static const struct {
        size_t offset, limit, count;
    } cases[] = {{0, 10, 10}, {2, 3, 3},   {8, 5, 2}, {10, 5, 0},
                 {99, 1, 0},  {0, 99, 10}, {9, 1, 1}};
    struct fixture *f = with_channels(10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct view_query query = {.kind = VIEW_CHANNELS,
                                         .offset = cases[i].offset,
                                         .limit = cases[i].limit};
        struct view *part = view(f, &query);
        assert_int_equal(part->channels_size, cases[i].count);
        assert_false(part->more);
        if (cases[i].count > 0) {
            assert_string_equal(part->channels[0].name.text,
                                number_name(f, (int)cases[i].offset));
        }
        view_free(part);
    }
    engine_test_end(f);
}

static void many_subscriptions_end_a_slice_early(void **s)
{
    (void)s;
    enum { EACH = 300 };
    struct fixture *f = with_channels(8);
    for (int channel = 0; channel < 8; channel++) {
        for (int i = 0; i < EACH; i++) {
            SUBSCRIBE(f, NULL, .channel = number_name(f, channel),
                      .inbox = fixture_text(f, "in%d.%d", channel, i));
        }
    }
    const struct view_query query = {
        .kind = VIEW_CHANNELS, .subscriptions = true, .limit = 100};
    struct view *slice = view(f, &query);
    assert_int_equal(slice->channels_size, 4); /* 1200 in all */
    assert_int_equal(slice->channels[3].subscriptions_size, EACH);
    assert_int_equal(slice->subscriptions_total, 8 * EACH);
    assert_true(slice->more);
    view_free(slice);
    engine_test_end(f);
}

/* M7 */
static void clients_are_listed_by_id_and_leave_the_list(void **s)
{
    struct fixture *f = *s;
    static const char *const ids[] = {"z", "a-b", "a", "B", "a_b"};
    static const char *const sorted[] = {"B", "a", "a-b", "a_b", "me", "z"};
    const struct view_query query = {.kind = VIEW_CLIENTS, .limit = 1024};
    for (size_t i = 0; i < 5; i++)
        OK(client_connect(f, ids[i]));
    struct view *all = view(f, &query);
    assert_int_equal(all->clients_size, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(all->clients[i].id.text, sorted[i]);
    assert_string_equal(view_last(all)->text, "z");
    view_free(all);
    OK(client_close(f, "a-b"));
    all = view(f, &query);
    assert_int_equal(all->clients_size, 5);
    assert_string_equal(all->clients[2].id.text, "a_b");
    view_free(all);
}

/* M13 */
static void subscriptions_are_counted_as_they_come_and_go(void **s)
{
    struct fixture *f = *s;
    const struct view_query query = {.kind = VIEW_SERVER};
    SUBSCRIBE(f, NULL, .inbox = "i1");
    SUBSCRIBE(f, NULL, .inbox = "i2", .durable = "d");
    struct view *server = view(f, &query);
    assert_int_equal(server->subscriptions_total, 2);
    view_free(server);
    fixture_restart(f);
    server = view(f, &query);
    assert_int_equal(server->subscriptions_total, 2);
    view_free(server);
    OK(client_close(f, "me"));
    server = view(f, &query);
    assert_int_equal(server->subscriptions_total, 1);
    view_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_list_comes_in_slices_that_fit_together),
        cmocka_unit_test(a_window_that_fits_is_whole),
        cmocka_unit_test(many_subscriptions_end_a_slice_early),
        ENGINE_TEST(clients_are_listed_by_id_and_leave_the_list),
        ENGINE_TEST(subscriptions_are_counted_as_they_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
