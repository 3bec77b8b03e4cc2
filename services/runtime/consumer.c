#include "runtime/consumer.h"

#include "base/clock.h"
#include "runtime/kafka.h"
#include "runtime/kafka_wait.h"
#include "runtime/membership.h"
#include "runtime/partition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTITIONS_MAX 256
#define COMMIT_EACH_NS UINT64_C(100000000) /* what a killed worker's successor handles again */
#define TICK_EACH_NS UINT64_C(1000000000)
#define TOPIC_WAIT_MS 250
#define COMMITTED_WAIT_MS 2000
#define COMMIT_WAIT_MS 2000
#define EMPTY_ROUNDS_MAX 3u
#define LEAVE_WAIT_MS 5000 /* a commit and the farewell */
#define WATERMARK_WAIT_MS 1000

struct quire_consumer {
    struct quire_kafka_link link; /* first: librdkafka's callbacks get it as their opaque */
    struct quire_consumer_options options;
    char role[160];
    rd_kafka_t *client;
    struct quire_membership membership;
    rd_kafka_message_t *held; /* taken, and left for the next batch */
    struct quire_partition partitions[PARTITIONS_MAX];
    uint64_t commit_after_ns, tick_after_ns;
    bool subscribed, topic_missing_told, commits_failing;
    unsigned empty_rounds; /* of the group that have brought us nothing; EMPTY_ROUNDS_MAX once one has */
    bool doubtful;         /* nothing is committed any more */
    bool unopened;         /* partitions have come that aren't opened */
    atomic_bool assigned;  /* the group has told us our share since we last left one; any thread */
    struct quire_series *rebalances;
    struct quire_family *lag;
};

static struct quire_partition *partition_of(struct quire_consumer *consumer, int32_t number) {
    assert(number >= 0 && number < PARTITIONS_MAX); /* on_assign refuses others */
    return &consumer->partitions[number];
}

static struct quire_series *lag_series(struct quire_consumer *consumer, int32_t number) {
    char text[12];
    (void)snprintf(text, sizeof(text), "%d", number);
    const char *const values[] = {consumer->options.topic, text};
    return quire_metrics_series(consumer->lag, values);
}

/* Commits. */

static void tell_commit(struct quire_consumer *consumer, rd_kafka_resp_err_t error) {
    const bool failed = error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__NO_OFFSET;
    if (failed && !consumer->commits_failing)
        QUIRE_LOG(consumer->link.log, QUIRE_WARN, "consumer.commit_failing", QUIRE_CTEXT("role", consumer->role),
                  QUIRE_CTEXT("error", rd_kafka_err2name(error)));
    if (!failed && consumer->commits_failing)
        QUIRE_LOG(consumer->link.log, QUIRE_INFO, "consumer.commits_work_again", QUIRE_CTEXT("role", consumer->role));
    consumer->commits_failing = failed;
}

static void add_commit(struct quire_consumer *consumer, rd_kafka_topic_partition_list_t *list, int32_t number,
                       bool leaving) {
    const struct quire_partition *partition = partition_of(consumer, number);
    char note[QUIRE_COMMIT_NOTE_BYTES];
    quire_partition_note(partition, leaving, note);
    rd_kafka_topic_partition_t *item = rd_kafka_topic_partition_list_add(list, consumer->options.topic, number);
    item->offset = partition->next_offset;
    item->metadata =
        strdup(note); /* the list frees it; without memory the commit says nothing, which reads as not clean */
    item->metadata_size = item->metadata == NULL ? 0 : strlen(note);
}

static void on_commit(rd_kafka_t *client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list,
                      void *opaque) {
    struct quire_consumer *consumer = opaque;
    (void)client;
    tell_commit(consumer, error);
    for (int i = 0; error != RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && i < list->cnt; i++) {
        if (list->elems[i].partition >= 0 && list->elems[i].partition < PARTITIONS_MAX)
            partition_of(consumer, list->elems[i].partition)->dirty = true; /* tried again with the next one */
    }
}

static void commit_due(struct quire_consumer *consumer, uint64_t now_ns) {
    if (now_ns < consumer->commit_after_ns || quire_membership_joining(&consumer->membership, now_ns))
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int32_t i = 0; i < PARTITIONS_MAX; i++) {
        struct quire_partition *partition = &consumer->partitions[i];
        if (partition->owned && partition->dirty) {
            add_commit(consumer, list, i, false);
            partition->dirty = false;
        }
    }
    if (list->cnt != 0) {
        consumer->commit_after_ns = now_ns + COMMIT_EACH_NS;
        const rd_kafka_resp_err_t error = rd_kafka_commit(consumer->client, list, true);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            on_commit(consumer->client, error, list, consumer);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static bool commit_now(struct quire_consumer *consumer, rd_kafka_topic_partition_list_t *list) {
    const rd_kafka_resp_err_t error =
        list->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : quire_kafka_commit_within(consumer->client, list, COMMIT_WAIT_MS);
    tell_commit(consumer, error);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Before the first message of a partition is handled, the broker must no longer say "clean", or a crash in it would go
 * unnoticed. Done for all that an assignment has brought at once, not with their first messages, which would have to
 * wait. While the group goes round once more they are handled unopened: the broker would hold the commit until all have
 * joined, and our callers with it. */
static void open_partitions(struct quire_consumer *consumer) {
    if (quire_membership_joining(&consumer->membership, quire_monotonic_ns()))
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);

    for (int32_t i = 0; i < PARTITIONS_MAX; i++) {
        const struct quire_partition *partition = &consumer->partitions[i];
        if (partition->owned && !partition->opened && partition->next_offset >= 0)
            add_commit(consumer, list, i, false);
    }
    consumer->unopened = !commit_now(consumer, list);
    for (int i = 0; !consumer->unopened && i < list->cnt; i++)
        partition_of(consumer, list->elems[i].partition)->opened = true;
    rd_kafka_topic_partition_list_destroy(list);
}

void quire_consumer_note_attempt(struct quire_consumer *consumer, const struct quire_delivery *delivery) {
    struct quire_partition *partition = partition_of(consumer, delivery->message->partition);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    partition->next_offset =
        delivery->message->offset; /* gaps (compaction, aborted batches) aside, it is there already */
    partition->attempts = delivery->attempt;
    add_commit(consumer, list, delivery->message->partition, false);
    (void)commit_now(consumer, list); /* has been told */
    rd_kafka_topic_partition_list_destroy(list);
}

/* Rebalances. */

/* Bounds of the log. They are needed only where nothing is committed or the last owner crashed. */
static bool find_bounds(struct quire_consumer *consumer, int32_t number, int64_t *ret_low, int64_t *ret_high) {
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(consumer->client, consumer->options.topic,
                                                                       number, ret_low, ret_high, WATERMARK_WAIT_MS);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    QUIRE_LOG(consumer->link.log, QUIRE_WARN, "consumer.bounds_unknown", QUIRE_CTEXT("role", consumer->role),
              QUIRE_INTEGER("partition", number), QUIRE_CTEXT("error", rd_kafka_err2name(error)));
    return false;
}

static void take_partition(struct quire_consumer *consumer, rd_kafka_topic_partition_t *item, bool known,
                           bool *bounds_work) {
    struct quire_partition *partition = partition_of(consumer, item->partition);
    const struct quire_slice note = {item->metadata, item->metadata_size};
    const int64_t committed = known && item->err == RD_KAFKA_RESP_ERR_NO_ERROR ? item->offset : RD_KAFKA_OFFSET_INVALID;
    int64_t low = RD_KAFKA_OFFSET_INVALID, high = 0;

    /* Once the broker has been too slow to answer, the others aren't asked: the whole group waits for us. */
    if (known && *bounds_work && (committed < 0 || !quire_partition_note_clean(note)))
        *bounds_work = find_bounds(consumer, item->partition, &low, &high);
    quire_partition_take(partition, committed, note, low, high);
    item->offset = partition->next_offset < 0 ? RD_KAFKA_OFFSET_STORED : partition->next_offset;
    if (partition->suspect_end > partition->next_offset)
        QUIRE_LOG(consumer->link.log, QUIRE_WARN, "consumer.unclean_start", QUIRE_CTEXT("role", consumer->role),
                  QUIRE_INTEGER("partition", item->partition),
                  QUIRE_INTEGER("suspects", partition->suspect_end - partition->next_offset));
}

static rd_kafka_resp_err_t ask_for_topic(struct quire_consumer *consumer) {
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, consumer->options.topic, RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return error;
}

/* Whoever joins a group whose members have all partitions gets none: they give up some, and a second round shares those
 * out. librdkafka joins only once a second, unless a subscription waits for the end of the round; without that nobody
 * would have these partitions for a second. */
static void on_assign(struct quire_consumer *consumer, rd_kafka_topic_partition_list_t *list) {
    const rd_kafka_resp_err_t error =
        list->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_committed(consumer->client, list, COMMITTED_WAIT_MS);
    bool bounds_work = true;

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        QUIRE_LOG(consumer->link.log, QUIRE_WARN, "consumer.committed_unknown", QUIRE_CTEXT("role", consumer->role),
                  QUIRE_CTEXT("error", rd_kafka_err2name(error)));
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].partition >= PARTITIONS_MAX) {
            QUIRE_LOG(consumer->link.log, QUIRE_ERROR, "consumer.too_many_partitions",
                      QUIRE_CTEXT("role", consumer->role));
            atomic_store(&consumer->link.fatal, true);
            return;
        }
        take_partition(consumer, &list->elems[i], error == RD_KAFKA_RESP_ERR_NO_ERROR, &bounds_work);
    }
    if (list->cnt == 0 && consumer->empty_rounds < EMPTY_ROUNDS_MAX) {
        consumer->empty_rounds++;
        (void)ask_for_topic(consumer); /* refused: then the second round takes a second */
    } else if (list->cnt != 0) {
        consumer->empty_rounds = EMPTY_ROUNDS_MAX;
    }
    rd_kafka_error_t *refused = rd_kafka_incremental_assign(consumer->client, list);
    if (refused != NULL) {
        QUIRE_LOG(consumer->link.log, QUIRE_ERROR, "consumer.assign_failed", QUIRE_CTEXT("role", consumer->role),
                  QUIRE_CTEXT("text", rd_kafka_error_string(refused)),
                  QUIRE_CTEXT("instead", "the process ends, to be started again"));
        rd_kafka_error_destroy(refused);
        /* Else its heartbeats would keep partitions that nobody reads. */
        atomic_store(&consumer->link.fatal, true);
        return;
    }
    consumer->unopened = true;
    atomic_store(&consumer->assigned, true);
}

/* A rebalance is served between batches, so all that was taken is done, but for what quire_consumer_take has in its
 * hands: that is dropped there. */
static void on_revoke(struct quire_consumer *consumer, rd_kafka_topic_partition_list_t *list) {
    rd_kafka_topic_partition_list_t *leaving = rd_kafka_topic_partition_list_new(list->cnt);

    for (int i = 0; i < list->cnt; i++) {
        struct quire_partition *partition = partition_of(consumer, list->elems[i].partition);
        if (partition->owned && partition->opened)
            add_commit(consumer, leaving, list->elems[i].partition, true);
        *partition = (struct quire_partition){0};
        quire_series_set(lag_series(consumer, list->elems[i].partition), 0);
    }
    if (rd_kafka_assignment_lost(consumer->client))
        atomic_store(&consumer->assigned, false); /* the group has gone on without us */
    else if (!consumer->doubtful)
        (void)commit_now(consumer, leaving); /* has been told; the next owner then sees an unclean start */
    rd_kafka_topic_partition_list_destroy(leaving);
    rd_kafka_error_t *refused = rd_kafka_incremental_unassign(consumer->client, list);
    if (refused != NULL)
        rd_kafka_error_destroy(refused); /* the group is gone already */
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t kind, rd_kafka_topic_partition_list_t *list,
                         void *opaque) {
    struct quire_consumer *consumer = opaque;
    (void)client;

    quire_series_add(consumer->rebalances, 1);
    QUIRE_LOG(consumer->link.log, QUIRE_INFO,
              kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "consumer.assigned" : "consumer.revoked",
              QUIRE_CTEXT("role", consumer->role), QUIRE_INTEGER("partitions", list->cnt));
    if (kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        on_assign(consumer, list);
    else
        on_revoke(consumer, list);
}

/* Life. */

static rd_kafka_t *create_client(struct quire_consumer *consumer) {
    char queued[16], heartbeat[16], fetch_wait[16];
    /* A fetch brings far more small messages than this; it is the mark below which the next one is sent. One message
     * that takes a whole core wants no others lying behind it. */
    (void)snprintf(queued, sizeof(queued), "%zu",
                   consumer->options.batch_max == 1 ? 1 : consumer->options.batch_max * 8);
    (void)snprintf(heartbeat, sizeof(heartbeat), "%" PRId64, consumer->options.heartbeat_ms);
    (void)snprintf(fetch_wait, sizeof(fetch_wait), "%" PRId64, consumer->options.fetch_wait_ms);
    const struct quire_kafka_property settings[] = {
        {"group.id", consumer->options.group},
        {"partition.assignment.strategy", "cooperative-sticky"},
        {"session.timeout.ms", "2500"},
        {"heartbeat.interval.ms", heartbeat},
        {"max.poll.interval.ms", "60000"},
        {"enable.auto.commit", "false"}, /* ours, with notes: partition.h */
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"}, /* a request that came before the first consumer is answered too */
        {"queued.min.messages", queued},
        {"queued.max.messages.kbytes", "65536"},
        {"fetch.min.bytes", "1"},
        {"fetch.wait.max.ms", fetch_wait},
        {"fetch.queue.backoff.ms", "2"},
        {"fetch.error.backoff.ms", "100"},
        {"fetch.max.bytes", QUIRE_FETCH_BYTES_MAX},
        {"allow.auto.create.topics", "false"},
    };
    rd_kafka_conf_t *conf = quire_kafka_conf(&consumer->link, consumer->options.kafka, consumer->options.service,
                                             settings, sizeof(settings) / sizeof(settings[0]));
    if (conf == NULL)
        return NULL;
    quire_membership_watch(&consumer->membership, conf, consumer->options.heartbeat_ms);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    return quire_kafka_client(&consumer->link, RD_KAFKA_CONSUMER, conf);
}

struct quire_consumer *quire_consumer_create(const struct quire_consumer_options *options) {
    static_assert(offsetof(struct quire_consumer, link) == 0, "the callbacks' opaque is both");
    struct quire_consumer *consumer = calloc(1, sizeof(*consumer));

    if (consumer == NULL)
        return NULL;
    consumer->options = *options;
    (void)snprintf(consumer->role, sizeof(consumer->role), "consumer %s", options->topic);
    consumer->link.log = options->log;
    consumer->link.role = consumer->role;
    consumer->rebalances = quire_metrics_one(options->metrics, QUIRE_COUNTER, "quire_rebalances_total",
                                             "Times that partitions came or went.", "topic", options->topic);
    consumer->lag = quire_metrics_family(options->metrics, QUIRE_GAUGE, "quire_consumer_lag",
                                         "Messages of a partition that are not handled yet.", "topic,partition");
    consumer->client = create_client(consumer);
    if (consumer->client == NULL) {
        free(consumer);
        return NULL;
    }
    rd_kafka_poll_set_consumer(consumer->client);
    return consumer;
}

static bool topic_exists(struct quire_consumer *consumer) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer->client, consumer->options.topic, NULL);

    if (topic == NULL)
        return false;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(consumer->client, 0, topic, &metadata, TOPIC_WAIT_MS);
    const bool exists =
        error == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt > 0;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && !exists && !consumer->topic_missing_told) {
        QUIRE_LOG(consumer->link.log, QUIRE_WARN, "consumer.waits_for_topic",
                  QUIRE_CTEXT("topic", consumer->options.topic));
        consumer->topic_missing_told = true; /* not for a broker that doesn't answer: that is told as an outage */
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return exists;
}

/* librdkafka would look for a missing topic only each metadata refresh: at start a topic is often just being created.
 */
static bool subscribe(struct quire_consumer *consumer, int wait_ms) {
    if (!topic_exists(consumer)) {
        rd_kafka_message_t *event = rd_kafka_consumer_poll(consumer->client, wait_ms); /* serves callbacks */
        if (event != NULL)
            rd_kafka_message_destroy(event);
        return false;
    }
    const rd_kafka_resp_err_t error = ask_for_topic(consumer);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        QUIRE_LOG(consumer->link.log, QUIRE_ERROR, "consumer.subscribe_failed", QUIRE_CTEXT("role", consumer->role),
                  QUIRE_CTEXT("error", rd_kafka_err2name(error)));
    consumer->subscribed = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    return consumer->subscribed;
}

/* NULL: nothing came. Errors are told; librdkafka mends all but the fatal ones itself. */
static rd_kafka_message_t *next_message(struct quire_consumer *consumer, int wait_ms) {
    if (consumer->held != NULL) {
        rd_kafka_message_t *held = consumer->held;
        consumer->held = NULL;
        return held;
    }
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client, wait_ms);
    if (message == NULL || message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return message;
    QUIRE_LOG(consumer->link.log, QUIRE_DEBUG, "consumer.error", QUIRE_CTEXT("role", consumer->role),
              QUIRE_CTEXT("error", rd_kafka_err2name(message->err)));
    rd_kafka_message_destroy(message);
    return NULL;
}

/* What was taken from partitions that a rebalance took away meanwhile is the next owner's. */
static size_t drop_foreign(struct quire_consumer *consumer, struct quire_delivery *deliveries, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (partition_of(consumer, deliveries[i].message->partition)->owned)
            deliveries[kept++] = deliveries[i];
        else
            rd_kafka_message_destroy(deliveries[i].message);
    }
    return kept;
}

static size_t gather(struct quire_consumer *consumer, int wait_ms, struct quire_delivery *ret_deliveries) {
    size_t count = 0, bytes = 0;

    while (count < consumer->options.batch_max && bytes < consumer->options.batch_bytes_max) {
        rd_kafka_message_t *message = next_message(consumer, count == 0 ? wait_ms : 0);
        if (message == NULL)
            break;
        const struct quire_partition *partition = partition_of(consumer, message->partition);
        const bool suspect = quire_partition_suspects(partition, message->offset);
        if (suspect && count != 0) {
            consumer->held = message;
            break;
        }
        ret_deliveries[count++] = (struct quire_delivery){message, quire_partition_attempt(partition, message->offset)};
        bytes += message->len;
        if (suspect)
            break;
    }
    return count;
}

size_t quire_consumer_take(struct quire_consumer *consumer, int wait_ms, struct quire_delivery *ret_deliveries) {
    if (!consumer->subscribed && !subscribe(consumer, wait_ms))
        return 0;
    commit_due(consumer, quire_monotonic_ns());
    const size_t count = gather(consumer, wait_ms, ret_deliveries);
    /* librdkafka looks whether a heartbeat is due when something happens (a commit does), else once a second: asking it
     * something wakes it. */
    if (count == 0)
        (void)rd_kafka_rebalance_protocol(consumer->client);
    if (consumer->unopened)
        open_partitions(consumer);
    return drop_foreign(consumer, ret_deliveries, count);
}

void quire_consumer_done(struct quire_consumer *consumer, struct quire_delivery *deliveries, size_t count,
                         bool handled) {
    for (size_t i = 0; i < count; i++) {
        struct quire_partition *partition = partition_of(consumer, deliveries[i].message->partition);
        if (handled && partition->owned)
            quire_partition_done(partition, deliveries[i].message->offset);
        rd_kafka_message_destroy(deliveries[i].message);
        deliveries[i].message = NULL;
    }
}

void quire_consumer_tick(struct quire_consumer *consumer, uint64_t now_ns) {
    quire_kafka_probe(&consumer->link, consumer->client, now_ns);
    if (now_ns < consumer->tick_after_ns)
        return;
    consumer->tick_after_ns = now_ns + TICK_EACH_NS;
    for (int32_t i = 0; i < PARTITIONS_MAX; i++) {
        const struct quire_partition *partition = &consumer->partitions[i];
        int64_t low, high;
        /* As of the last fetch: asks nobody. */
        if (partition->owned && partition->next_offset >= 0 &&
            rd_kafka_get_watermark_offsets(consumer->client, consumer->options.topic, i, &low, &high) ==
                RD_KAFKA_RESP_ERR_NO_ERROR &&
            high >= 0)
            quire_series_set(lag_series(consumer, i),
                             high > partition->next_offset ? (double)(high - partition->next_offset) : 0);
    }
}

bool quire_consumer_settled(const struct quire_consumer *consumer) {
    return atomic_load(&consumer->assigned) && !atomic_load(&consumer->link.down) &&
           !atomic_load(&consumer->link.fatal);
}

bool quire_consumer_failed(const struct quire_consumer *consumer) {
    return atomic_load(&consumer->link.fatal);
}

void quire_consumer_doubt(struct quire_consumer *consumer) {
    consumer->doubtful = true;
}

bool quire_consumer_may_leave(const struct quire_consumer *consumer) {
    return quire_membership_may_leave(&consumer->membership, quire_monotonic_ns());
}

/* Without RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE it would wait for ever. */
static void destroy_client(struct quire_consumer *consumer) {
    if (consumer->client != NULL)
        rd_kafka_destroy_flags(consumer->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    consumer->client = NULL;
}

void quire_consumer_leave(struct quire_consumer *consumer) {
    if (consumer->held != NULL)
        rd_kafka_message_destroy(consumer->held); /* not done: it stays the group's */
    consumer->held = NULL;
    if (!quire_kafka_close_within(consumer->client, LEAVE_WAIT_MS, on_rebalance, consumer))
        QUIRE_LOG(consumer->link.log, QUIRE_WARN, "consumer.left_unheard", QUIRE_CTEXT("role", consumer->role));
    destroy_client(consumer);
}

void quire_consumer_destroy(struct quire_consumer *consumer) {
    if (consumer == NULL)
        return;
    destroy_client(consumer);
    free(consumer);
}
