/* The power goes at any call that changes a file, hundreds of times. After
 * each cut the store holds every batch that was reported done with sync, whole,
 * in order, and of others all or nothing. SEED and CUTS in the environment. */
#include "tests/fault/disk.h"
#include "tests/fault/oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CUTS = 300, CUTS_A_LIFE = 15 };

struct tally {
    uint64_t cuts, while_opening, refused, batches;
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* Whole records behind a torn one: it cannot be told from damage, so the store
 * names the file and leaves it to the operator, who cuts it off. */
static bool refused(struct rig *rig)
{
    static const char words[] = "the file ";
    char name[64], path[192];
    const char *at = strstr(rig->error.detail, words);
    if (at == NULL ||
        strstr(rig->error.detail, "with whole records after that") == NULL)
        return false;
    (void)snprintf(name, sizeof name, "%s", at + strlen(words));
    name[strcspn(name, " ")] = '\0';
    (void)snprintf(path, sizeof path, "%s/nss.ldb/%s", rig->directory, name);
    assert_int_equal(truncate(path, (off_t)disk_kept(name)), 0);
    return true;
}

/* False: the power went while it opened. */
static bool open_again(struct rig *rig, struct tally *tally)
{
    for (;;) {
        if (rig_try_open(rig) == STATUS_OK)
            return true;
        if (disk_is_off())
            return false;
        if (!refused(rig)) {
            fail_msg("after cut %llu: %s", (unsigned long long)tally->cuts,
                     rig->error.detail);
        }
        tally->refused++;
    }
}

/* Up to the next cut, and what it leaves. */
static void one_cut(struct rig *rig, struct oracle *oracle, struct tally *tally,
                    uint64_t *seed)
{
    disk_cut_after(random_next(seed) % (UINT64_C(4) << random_next(seed) % 9));
    if (!open_again(rig, tally)) {
        tally->while_opening++;
    } else {
        oracle_check(oracle, rig);
        if (random_next(seed) % 3 == 0) /* some calls fail before the cut */
            disk_fail_after(random_next(seed) % 64, EIO,
                            1 + random_next(seed) % 4);
        while (!disk_is_off()) {
            (void)oracle_commit(oracle, rig, seed);
            tally->batches++;
            if (random_next(seed) % 64 != 0)
                continue;
            rig_close(rig); /* in good order, unless the power goes */
            disk_heal();
            if (!disk_is_off() && !open_again(rig, tally))
                break;
            if (rig->store != NULL && !disk_is_off())
                oracle_check(oracle, rig);
        }
    }
    rig_close(rig);
    disk_heal();
    disk_power_on(seed);
    tally->cuts++;
}

static void one_life(struct tally *tally, uint64_t cuts, uint64_t *seed)
{
    static struct rig rig;
    char path[128];
    struct oracle *oracle = oracle_new();
    rig_init(&rig, &backend_small_segments);
    oracle_limits(&rig);
    (void)snprintf(path, sizeof path, "%s/nss.ldb", rig.directory);
    disk_watch(path);
    for (uint64_t i = 0; i < cuts; i++)
        one_cut(&rig, oracle, tally, seed);
    if (!open_again(&rig, tally))
        fail_msg("%s", rig.error.detail);
    oracle_check(oracle, &rig);
    rig_close(&rig);
    disk_forget();
    rig_release(&rig);
    oracle_free(oracle);
}

static void what_was_reported_synced_survives_power_cuts(void **state)
{
    uint64_t seed = number_of("SEED", (uint64_t)time(NULL));
    uint64_t cuts = number_of("CUTS", CUTS);
    struct tally tally = {0};
    (void)state;
    (void)printf("SEED=%llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    while (tally.cuts < cuts) {
        uint64_t left = cuts - tally.cuts;
        one_life(&tally, left < CUTS_A_LIFE ? left : CUTS_A_LIFE, &seed);
    }
    (void)printf(
        "%llu cuts, %llu of them while opening; %llu batches; %llu "
        "times refused as damaged\n",
        (unsigned long long)tally.cuts, (unsigned long long)tally.while_opening,
        (unsigned long long)tally.batches, (unsigned long long)tally.refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reported_synced_survives_power_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
