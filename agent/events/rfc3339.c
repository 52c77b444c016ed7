/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   2026-11-24T16:01:47.25+01:00
 *   date       T time  .fraction  Z or offset
 */
#include "events/flow_event.h"

#include <errno.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)

/* Exactly n digits; -1 where they are not. */
static int take_number(struct reader *reader, size_t n)
{
    struct bytes digits = reader_take(reader, n);
    int value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            reader->failed = true;
        value = value * 10 + digits.ptr[i] - '0';
    }
    return reader->failed ? -1 : value;
}

/* One of the two characters. */
static void take_mark(struct reader *reader, char a, char b)
{
    uint8_t c = reader_u8(reader);

    if (c != a && c != b)
        reader->failed = true;
}

static bool within(int value, int least, int most)
{
    return value >= least && value <= most;
}

/* The fraction's digits, cut at nanoseconds; the reader is then at what follows. */
static uint64_t take_fraction(struct reader *reader)
{
    uint64_t ns = 0, unit = NS_PER_SECOND / 10;

    if (reader_left(reader) == 0 || reader->data.ptr[reader->pos] != '.')
        return 0;
    reader->pos++;
    for (; reader_left(reader) > 0; reader->pos++, unit /= 10) {
        uint8_t c = reader->data.ptr[reader->pos];

        if (c < '0' || c > '9')
            break;
        ns += unit * (uint64_t)(c - '0');
    }
    return ns;
}

/* Seconds east of Greenwich. */
static int64_t take_offset(struct reader *reader)
{
    uint8_t sign = reader_u8(reader);
    int hours, minutes;

    if (sign == 'Z' || sign == 'z')
        return 0;
    hours = take_number(reader, 2);
    take_mark(reader, ':', ':');
    minutes = take_number(reader, 2);
    if ((sign != '+' && sign != '-') || !within(hours, 0, 23) || !within(minutes, 0, 59))
        reader->failed = true;
    return (sign == '-' ? -60 : 60) * (int64_t)(hours * 60 + minutes);
}

int rfc3339_parse(struct bytes text, uint64_t *ret_ns)
{
    struct reader reader = reader_make(text);
    struct tm tm = {0};
    uint64_t fraction;
    int64_t seconds;

    tm.tm_year = take_number(&reader, 4) - 1900;
    take_mark(&reader, '-', '-');
    tm.tm_mon = take_number(&reader, 2) - 1;
    take_mark(&reader, '-', '-');
    tm.tm_mday = take_number(&reader, 2);
    take_mark(&reader, 'T', 't');
    tm.tm_hour = take_number(&reader, 2);
    take_mark(&reader, ':', ':');
    tm.tm_min = take_number(&reader, 2);
    take_mark(&reader, ':', ':');
    tm.tm_sec = take_number(&reader, 2);
    fraction = take_fraction(&reader);
    seconds = -take_offset(&reader);
    if (reader.failed || reader_left(&reader) > 0 || !within(tm.tm_mon, 0, 11) ||
        !within(tm.tm_mday, 1, 31) || !within(tm.tm_hour, 0, 23) || !within(tm.tm_min, 0, 59) ||
        !within(tm.tm_sec, 0, 60))
        return -EINVAL;
    seconds += timegm(&tm);
    if (seconds < 0 || (uint64_t)seconds > UINT64_MAX / NS_PER_SECOND - 1)
        return -EINVAL;
    *ret_ns = (uint64_t)seconds * NS_PER_SECOND + fraction;
    return 0;
}
