#include "gateway/admission.h"
#include "gateway/gathering.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS 16u
#define GRACE_PART 4u /* of queue_ns, in which a burst is taken while the lane shows what it can do */
/* What always may wait, so that a lane that stands still for a moment (a consumer restarts) refuses none of a small
 * load, and a slow one isn't judged by two or three answers: four batches of all its workers, within these. */
#define ALWAYS_BATCHES 4u
#define ALWAYS_MIN 4u
#define ALWAYS_MAX 64u
#define CALM_NS 1000000000u /* without a refusal: the outage has ended */
#define NS_A_SECOND 1000000000u

/* Events of the last BUCKETS spans of time. sum is the sum of the counts; `newest` is the number of the span, counted
 * from the clock's zero, whose bucket is newest % BUCKETS. */
struct window {
    uint32_t counts[BUCKETS];
    uint32_t sum;
    uint64_t newest;
};

/* measured_since_ns <= busy_since_ns, as long as the lane is busy. answered_since counts from busy_since_ns on. */
struct admission_lane {
    const char *topic;
    uint64_t queue_ns;
    uint32_t always;
    uint32_t in_flight;
    struct window answered, abandoned;
    uint64_t measured_since_ns; /* `answered` begins here, or queue_ns ago */
    uint64_t busy_since_ns;     /* when its queue was last empty */
    uint64_t answered_since;
    uint64_t reply_ns;                                  /* moving average; 0: none yet */
    bool refusing, told;                                /* told: that it is refusing */
    uint64_t refused, refusing_since_ns, refused_at_ns; /* while refusing */
};

struct admission {
    const struct quire_contract *contract;
    struct admission_lane *lanes; /* of all services, one service's after the other's */
    size_t lanes_count;
};

static uint32_t always_of(const struct quire_lane *lane) {
    const uint64_t batches = (uint64_t)ALWAYS_BATCHES * lane->workers * lane->batch_max;
    return batches < ALWAYS_MIN ? ALWAYS_MIN : batches > ALWAYS_MAX ? ALWAYS_MAX : (uint32_t)batches;
}

struct admission *admission_create(const struct quire_contract *contract, uint64_t queue_ns) {
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL)
        return NULL;
    admission->contract = contract;
    for (size_t i = 0; i < contract->services_count; i++)
        admission->lanes_count += contract->services[i].lanes_count;
    admission->lanes = calloc(admission->lanes_count + 1, sizeof *admission->lanes);
    if (admission->lanes == NULL) {
        free(admission);
        return NULL;
    }
    struct admission_lane *lane = admission->lanes;
    for (size_t i = 0; i < contract->services_count; i++)
        for (size_t j = 0; j < contract->services[i].lanes_count; j++)
            *lane++ = (struct admission_lane){.topic = contract->services[i].lanes[j].topic,
                                              .queue_ns = queue_ns,
                                              .always = always_of(&contract->services[i].lanes[j])};
    return admission;
}

void admission_destroy(struct admission *admission) {
    if (admission == NULL)
        return;
    free(admission->lanes);
    free(admission);
}

struct admission_lane *admission_lane_of(struct admission *admission, const struct quire_contract_service *service,
                                         uint32_t lane) {
    const struct quire_contract_service *first = admission->contract->services;
    size_t index = lane;
    assert(service >= first && service < first + admission->contract->services_count && lane < service->lanes_count);
    for (const struct quire_contract_service *before = first; before < service; before++)
        index += before->lanes_count;
    return &admission->lanes[index];
}

/* Windows. */

static void window_move(struct window *window, uint64_t span_ns, uint64_t now_ns) {
    const uint64_t newest = now_ns / span_ns;
    if (newest <= window->newest)
        return;
    if (newest - window->newest >= BUCKETS) {
        *window = (struct window){.newest = newest};
        return;
    }
    while (window->newest < newest) {
        uint32_t *oldest = &window->counts[++window->newest % BUCKETS];
        window->sum -= *oldest;
        *oldest = 0;
    }
}

static void window_add(struct window *window, uint64_t span_ns, uint64_t now_ns) {
    window_move(window, span_ns, now_ns);
    window->counts[window->newest % BUCKETS]++;
    window->sum++;
}

/* Lanes. */

static uint64_t span_ns(const struct admission_lane *lane) {
    return lane->queue_ns / BUCKETS + 1; /* never 0 */
}

/* What the consumers have before them. What nobody waits for stands there about as long as the rest. */
static uint64_t standing(struct admission_lane *lane, uint64_t now_ns) {
    window_move(&lane->abandoned, span_ns(lane), now_ns);
    return (uint64_t)lane->in_flight + lane->abandoned.sum;
}

/* waiting / (answered / span) <= wait_max, without a division; each product is far below 2^64. */
static bool in_time(uint64_t waiting, uint64_t answered, uint64_t span, uint64_t wait_max_ns) {
    return waiting * (span / 1000) <= answered * (wait_max_ns / 1000);
}

static bool has_room(struct admission_lane *lane, uint64_t now_ns, uint64_t timeout_ns) {
    const uint64_t waiting = standing(lane, now_ns), busy_ns = now_ns - lane->busy_since_ns;
    if (lane->queue_ns == 0 || waiting < lane->always || busy_ns < lane->queue_ns / GRACE_PART)
        return true;
    const uint64_t wait_max_ns = timeout_ns < lane->queue_ns ? timeout_ns : lane->queue_ns;
    const uint64_t measured_ns = now_ns - lane->measured_since_ns;
    window_move(&lane->answered, span_ns(lane), now_ns);
    /* A lane of which little was asked before has answered little: then what it does since its queue began counts. */
    return in_time(waiting, lane->answered.sum, measured_ns < lane->queue_ns ? measured_ns : lane->queue_ns,
                   wait_max_ns) ||
           (busy_ns < lane->queue_ns && in_time(waiting, lane->answered_since, busy_ns, wait_max_ns));
}

bool admission_admits(struct admission_lane *lane, uint64_t now_ns, uint64_t timeout_ns) {
    if (has_room(lane, now_ns, timeout_ns))
        return true;
    if (!lane->refusing) {
        lane->refusing = true;
        lane->told = false;
        lane->refused = 0;
        lane->refusing_since_ns = now_ns;
    }
    lane->refused++;
    lane->refused_at_ns = now_ns;
    return false;
}

void admission_begin(struct admission_lane *lane, uint64_t now_ns) {
    if (standing(lane, now_ns) == 0) {
        lane->busy_since_ns = now_ns;
        lane->answered_since = 0;
        window_move(&lane->answered, span_ns(lane), now_ns);
        if (lane->answered.sum == 0) /* an idle lane's past says nothing */
            lane->measured_since_ns = now_ns;
    }
    lane->in_flight++;
}

void admission_end(struct admission_lane *lane, uint64_t now_ns, enum admission_end end) {
    assert(lane->in_flight > 0);
    lane->in_flight--;
    if (end == ADMISSION_ANSWERED) {
        window_add(&lane->answered, span_ns(lane), now_ns);
        lane->answered_since++;
    } else if (end == ADMISSION_ABANDONED) {
        window_add(&lane->abandoned, span_ns(lane), now_ns);
    }
}

void admission_reply_took(struct admission_lane *lane, uint64_t took_ns) {
    lane->reply_ns = gathering_average(lane->reply_ns, took_ns);
}

uint64_t admission_reply_ns(const struct admission_lane *lane) {
    return lane->reply_ns;
}

/* News. */

static bool has_news(struct admission_lane *lane, uint64_t now_ns) {
    if (!lane->refusing)
        return false;
    if (!lane->told) {
        lane->told = true;
        return true;
    }
    lane->refusing = now_ns - lane->refused_at_ns < CALM_NS;
    return !lane->refusing;
}

bool admission_next_news(struct admission *admission, uint64_t now_ns, struct admission_news *ret_news) {
    for (size_t i = 0; i < admission->lanes_count; i++) {
        struct admission_lane *lane = &admission->lanes[i];
        if (!has_news(lane, now_ns))
            continue;
        *ret_news = (struct admission_news){.topic = lane->topic,
                                            .ended = !lane->refusing,
                                            .refused = lane->refused,
                                            .seconds = (lane->refused_at_ns - lane->refusing_since_ns) / NS_A_SECOND};
        return true;
    }
    return false;
}
