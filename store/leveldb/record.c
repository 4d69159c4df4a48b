#include "store/leveldb/record.h"

#include "store/leveldb/keys.h"

enum { NUMBERS = 9, FIXED = 1 + 8 * NUMBERS };

bool channel_record_encode(const struct channel_record *record,
                           struct blob *out)
{
    const struct channel_state *state = &record->state;
    const uint64_t numbers[NUMBERS] = {
        state->channel,
        state->first,
        state->last,
        state->messages,
        state->bytes,
        (uint64_t)state->first_timestamp,
        (uint64_t)state->last_timestamp,
        state->last_subscription,
        record->swept,
    };
    uint8_t fixed[FIXED];
    fixed[0] = (uint8_t)record->phase;
    for (int i = 0; i < NUMBERS; i++)
        number_encode(numbers[i], fixed + 1 + 8 * (size_t)i);
    out->size = 0;
    return blob_append(out, fixed, sizeof fixed) &&
           blob_append(out, record->name.data, record->name.size);
}

bool channel_record_decode(struct bytes input, struct channel_record *out)
{
    uint64_t numbers[NUMBERS];
    *out = (struct channel_record){0};
    if (input.size < FIXED ||
        (input.data[0] != RECORD_LIVE && input.data[0] != RECORD_DELETED))
        return false;
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = number_decode(input.data + 1 + 8 * (size_t)i);
    *out = (struct channel_record){
        .phase = input.data[0] == RECORD_LIVE ? RECORD_LIVE : RECORD_DELETED,
        .state = {.channel = numbers[0],
                  .first = numbers[1],
                  .last = numbers[2],
                  .messages = numbers[3],
                  .bytes = numbers[4],
                  .first_timestamp = (int64_t)numbers[5],
                  .last_timestamp = (int64_t)numbers[6],
                  .last_subscription = numbers[7]},
        .swept = numbers[8],
        .name = bytes_of(input.data + FIXED, input.size - FIXED),
    };
    const struct channel_state *state = &out->state;
    if (state->messages == 0) {
        return state->first == 0 ? state->last == 0
                                 : state->first == state->last + 1;
    }
    return state->first > 0 && state->first <= state->last &&
           state->messages <= state->last - state->first + 1;
}
