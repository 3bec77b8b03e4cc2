/* A ring thread's loop: completions, replies, deadlines, timers. All on the thread that runs it. */
#ifndef QUIRE_GATEWAY_SHARD_RUN_H
#define QUIRE_GATEWAY_SHARD_RUN_H

#include "gateway/shard.h"

/* gateway, index and listener_fd are set. False after logging why; shard_deinit is due in any case. */
QUIRE_MUSTCHECK bool shard_init(struct shard *shard);
/* Arms what is always armed. Before the first turn. */
void shard_begin(struct shard *shard);
/* Waits for completions, replies or a deadline, and does what follows from them. False once the gateway closes and
 * nothing is owed any more, or it is ending. */
QUIRE_MUSTCHECK bool shard_turn(struct shard *shard);
void shard_deinit(struct shard *shard);

#endif
