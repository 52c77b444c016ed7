/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One fuzz target for all protocols. The input is a conversation:
 *
 *   [protocol] [gap:1 len:15][len bytes] [gap:1 len:15][len bytes] ...
 *    1 byte     2 bytes, big endian       the other direction, and so on
 *
 * `protocol` indexes the list of protocols, and its high bit says that the chunks are datagrams; with
 * `gap` set, bytes are missing before the chunk; a length beyond the end means the rest. An empty
 * chunk just turns the direction. Each chunk also goes to probe. The driver checks the calls and
 * gives every input as a heap block of its exact size.
 */
#include "driver.h"

#define GAP 0x8000
#define DATAGRAMS 0x80
#define PROTOCOLS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The driver of protocols[n % their number], fresh. */
static struct driver *driver_of(unsigned n, enum delivery delivery)
{
    static struct driver *drivers[PROTOCOLS_MAX];
    unsigned n_protocols = 0;

    while (protocols[n_protocols])
        n_protocols++;
    n %= n_protocols;
    if (!drivers[n])
        drivers[n] = driver_new(protocols[n], true);
    driver_reset(drivers[n]);
    drivers[n]->delivery = delivery;
    return drivers[n];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_make(bytes_make(data, size));
    enum sender sender = SENDER_CLIENT;
    struct driver *driver;

    if (size == 0 || size > DRIVER_WINDOW)
        return 0;
    driver = driver_of(data[0] & ~DATAGRAMS, data[0] & DATAGRAMS ? DELIVERY_DATAGRAM
                                                                 : DELIVERY_STREAM);
    reader_u8(&reader);
    while (reader_left(&reader) >= 2) {
        uint16_t head = reader_be16(&reader);
        size_t len = head & ~GAP, left = reader_left(&reader);
        struct bytes chunk = reader_take(&reader, len < left ? len : left);

        if (head & GAP)
            driver_gap(driver, sender);
        driver_probe(driver, chunk);
        driver_feed(driver, sender, chunk);
        sender = !sender;
    }
    driver_gap(driver, SENDER_CLIENT);
    driver_gap(driver, SENDER_SERVER);
    return 0;
}
