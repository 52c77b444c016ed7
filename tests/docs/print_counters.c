/* SPDX-License-Identifier: Apache-2.0 */
/* Writes docs/counters.md to standard output, from the table in base/counters.h. */
#include "base/counters.h"

#include "base/macro.h"

#include <stdio.h>

struct section {
    enum counter_class class;
    const char *title;
    const char *text;
};

static const struct section sections[] = {
    {COUNTER_PACKETS, "Packets", "Only where the source is a capture of packets."},
    {COUNTER_PACKET_USED, "Packets used", "The agent knows what each of these was."},
    {COUNTER_PACKET_LOST, "Packets lost", "These may have carried something to be understood."},
    {COUNTER_OPERATIONS, "Operations",
     "A send or receive on a socket, as the kernel's hook sees it; in a capture, the bytes of a\n"
     "segment in their turn."},
    {COUNTER_OPERATION_USED, "Operations used", "The agent knows what each of these was."},
    {COUNTER_OPERATION_LOST, "Operations lost",
     "These carried bytes, or might have, that the agent did not understand."},
    {COUNTER_EXCHANGES, "Exchanges", "A request, and the response that belongs to it."},
    {COUNTER_EXCHANGE_USED, "Exchanges used", "These became spans, or were not wanted."},
    {COUNTER_EXCHANGE_LOST, "Exchanges lost", "These did not become spans, though they should."},
    {COUNTER_INFO, "Others", "These are part of no sum."},
};

static const char head[] =
    "# Counters\n"
    "\n"
    "<!-- Generated from the table in agent/base/counters.h by scripts/update-docs. -->\n"
    "\n"
    "Everything that the agent sees, uses and loses is counted under one name. The counters are\n"
    "served at `/metrics` (setting `status.listen`), there as `flowtrace_NAME_total`, and\n"
    "printed when the agent stops. Whenever it is at rest, three identities hold:\n"
    "\n"
    "    packets    = sum of packets used    + sum of packets lost\n"
    "    operations = sum of operations used + sum of operations lost\n"
    "    exchanges  = sum of exchanges used  + sum of exchanges lost + those still open\n";

int main(void)
{
    fputs(head, stdout);
    for (size_t i = 0; i < ELEMENTSOF(sections); i++) {
        printf("\n## %s\n\n%s\n\n| counter | meaning |\n|---|---|\n", sections[i].title,
               sections[i].text);
        for (size_t j = 0; j < COUNTER_COUNT; j++)
            if (counter_infos[j].class == sections[i].class)
                printf("| `%s` | %s |\n", counter_infos[j].name, counter_infos[j].help);
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
