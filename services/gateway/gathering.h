/* How long a request may wait in a producer for others that go with it.
 *
 * What comes alone costs a request to the broker, a wake-up of its fetch and a batch of one, each dearer than the
 * request itself; but nobody is to wait for others who don't come, or longer than it is worth. So only a request among
 * several waits, and at most for a part of what replies take anyhow: where they are quick there is nothing to save
 * that a caller wouldn't feel, where they are late since much is under way it costs him little and spares all the
 * processors. Knows no Kafka. */
#ifndef QUIRE_GATEWAY_GATHERING_H
#define QUIRE_GATEWAY_GATHERING_H

#include <stddef.h>
#include <stdint.h>

#define GATHERING_FROM 4u /* with fewer under way nobody else is likely to come in that time */
#define GATHERING_PART 2u /* of what replies take of late: so long a wait may be */

/* The longest of the waits that is allowed: its index. waits_ns[0] is 0, a wait that there isn't is UINT64_MAX, those
 * that there are ascend. `under_way`: requests of this ring whose replies are awaited. reply_ns: how long replies take
 * of late; 0: nobody knows. */
size_t gathering_choose(const uint64_t *waits_ns, size_t count, uint32_t under_way, uint64_t reply_ns);

/* reply_ns after one more reply, which took took_ns: a moving average over about the last eight. */
uint64_t gathering_average(uint64_t reply_ns, uint64_t took_ns);

#endif
