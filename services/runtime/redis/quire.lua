#!lua name=quire
-- All that Quire does in Redis, as one function library: each function is atomic, and but for ZREM of a place nothing else writes these keys.
--
-- function                  KEYS                                        ARGV -> answer
-- quire_library             -                                           -> {version, text hash}
-- quire_check               session                                     request, deadline_ms, limits (1|0), period_us, burst, concurrent[, note (1|0)]
--                                                                       -> {verdict, account, watermark, remaining, reset_s, retry_s[, note]}
-- quire_limit               a rate key                                  period_us, burst -> {allowed (1|0), remaining, reset_s, retry_s}
-- quire_log_in_attempt      log_in, log_ins                             failures_max, window_s, address_failures_max
--                                                                       -> {allowed (1|0), remaining, reset_s, retry_s, by address (1|0)}
-- quire_log_in_succeeded    log_in, log_ins                             -> 1        the attempt is given back: it was right
-- quire_log_in_undone       log_in, log_ins                             -> 1        the attempt is given back: neither right nor wrong (503)
-- quire_release             places                                      request -> removed; of a process of an older version, newer ones use ZREM
-- quire_watermark_raise     watermark                                   watermark -> 1, or 0: a newer timeline is known, the writer is deposed
-- quire_session_put         session, revoked                            account, id, idle_s, expires_ms, seen_ms (0: now)[, note] -> 1, or 0: revoked
-- quire_session_revoke      (session, revoked) any number of times      ttl_s of the tombstones -> sessions that were there
-- quire_sessions_seen       session...                                  -> seen_ms of each, 0: not there
-- quire_sessions_load       (session, revoked)...                       (account, id, idle_s, expires_ms, seen_ms) for each[, note of each]
--                                                                       -> how many are stored
-- quire_load_begin          quire:epoch, {quire:epoch}:loading          nonce -> 1  empties the database; begins a load
-- quire_epoch_set           quire:epoch, {quire:epoch}:loading          nonce, run id -> 1, or 0: flushed or begun anew since load_begin; load again
--
-- key          its name (runtime/keys.h builds them)                    its value
-- session      quire:{tttt}:session:<64 hex: SHA-256 of the token>      hash account, id, idle_ms, expires_ms, seen_ms[, note]; lives as long as the session
-- revoked      quire:{tttt}:revoked:<64 hex>                            '1', for ttl_s
-- watermark    quire:{tttt}:account:<uuid>:watermark                    '<system identifier>/<timeline>:<16 hex digits: LSN>', for a day
-- rate         quire:{tttt}:account:<uuid>:rate                         GCRA's theoretical arrival time, microseconds
-- places       quire:{tttt}:account:<uuid>:places                       sorted set of requests by deadline, milliseconds
-- address      quire:{addr:<address>}:requests | :log_in_rate | :registrations   as rate
-- log_in       quire:{addr:<address>}:log_in:<tttt>                     hash count, start_ms, strikes, forget_ms: failures at that account
-- log_ins      quire:{addr:<address>}:log_ins                           the same: failures at all accounts
-- tttt is the account's tag in hexadecimal. Times are Redis' own (TIME), so that workers' clocks don't matter, but for deadlines.
--
-- verdict: 0 unknown session, 1 admitted, 2 too many requests, 3 too many at once.
--
-- note: bytes that the session service keeps with a session; nothing here looks into them. '' is none, and stores none. quire_check tells it to who asks
-- for it and is admitted, so that no other call pays for it.
--
-- What is in brackets is left out by a process of an older version, and isn't looked at by an older library. So that both go on through an upgrade, an
-- argument is only ever added behind all others, and makes an answer longer for who gives it only.
--
-- quire_check learns the account from the session, so the account's keys can't be among its KEYS; they share its hash tag, and with it the
-- slot of a Redis Cluster. The other functions name all their keys. quire_sessions_load and quire_session_revoke may mix slots where there is no cluster.

local VERSION = 4 -- raise it with every change: a process replaces an older library, and leaves a newer one alone
local TEXT_HASH = '@QUIRE_LIBRARY_HASH@'

local WATERMARK_S = 86400     -- a lost watermark costs one read of the primary
local STRIKES_S = 86400       -- how long a log-in penalty goes on growing
local STRIKES_MAX = 6         -- window * 2^6 is the longest penalty: 16 hours of 15 minutes
local NOTE_BYTES_MAX = 512    -- a longer note is not kept: Redis has room for everybody's sessions (QUIRE_SESSION_NOTE_BYTES_MAX in runtime/keys.h)
local PLACES_MS = 120000      -- how long places are kept that nobody gives back: longer than any deadline is away
local TAG_CHARACTERS = 13     -- of 'quire:{tttt}:'
local SEEN_STEP_MS = 1000     -- how coarse last-seen times are, so that a busy session isn't written with each request

local function now_us()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function integer(number)
    return string.format('%.0f', number)
end

local function seconds(us)
    return math.max(0, math.ceil(us / 1000000))
end

-- The generic cell rate algorithm: (allowed, new arrival time, remaining, reset_us, retry_us).
local function gcra(arrival, now, period, burst)
    arrival = math.max(arrival or 0, now)
    local next_arrival = arrival + period
    local room = burst * period - (next_arrival - now)
    if room < 0 then
        return false, arrival, 0, arrival - now, -room
    end
    return true, next_arrival, math.floor(room / period), next_arrival - now, 0
end

local function store_arrival(key, arrival, now)
    redis.call('SET', key, arrival, 'PX', math.ceil((arrival - now) / 1000) + 1)
end

-- How many places are taken. What is past its deadline is swept out only where none seems free.
local function places_taken(key, now_ms, concurrent)
    local taken = redis.call('ZCARD', key)
    if taken < concurrent then
        return taken
    end
    redis.call('ZREMRANGEBYSCORE', key, '-inf', integer(now_ms))
    return redis.call('ZCARD', key)
end

-- The session's account, its note if with_note, and whether it was refreshed just now (idle time, each second at most); or nil.
local function session_account(key, now_ms, with_note)
    local session, note
    if with_note then
        session = redis.call('HMGET', key, 'account', 'idle_ms', 'expires_ms', 'seen_ms', 'note')
        note = session[5] or ''
    else
        session = redis.call('HMGET', key, 'account', 'idle_ms', 'expires_ms', 'seen_ms')
    end
    if not session[1] then
        return nil
    end
    local idle, expires, seen = tonumber(session[2]), tonumber(session[3]), tonumber(session[4])
    if now_ms >= expires or now_ms >= seen + idle then
        return nil
    end
    local seen_anew = now_ms - seen >= math.min(SEEN_STEP_MS, idle / 10)
    if seen_anew then
        redis.call('HSET', key, 'seen_ms', integer(now_ms))
        redis.call('PEXPIREAT', key, integer(math.min(expires, now_ms + idle)))
    end
    return session[1], note, seen_anew
end

-- The note stands last in an answer, and where it is nil the answer ends before it.
local function check(keys, args)
    local now = now_us()
    local now_ms = math.floor(now / 1000)
    local account, note, seen_anew = session_account(keys[1], now_ms, args[7] == '1')
    if not account then
        return {0, '', '', 0, 0, 0}
    end
    local prefix = string.sub(keys[1], 1, TAG_CHARACTERS) .. 'account:' .. account
    local state = redis.call('MGET', prefix .. ':watermark', prefix .. ':rate')
    local watermark = state[1] or ''
    if args[3] ~= '1' then
        return {1, account, watermark, 0, 0, 0, note}
    end
    local places, concurrent = prefix .. ':places', tonumber(args[6])
    local taken = places_taken(places, now_ms, concurrent)
    if taken >= concurrent and not redis.call('ZSCORE', places, args[1]) then -- a redelivery has its place already
        return {3, account, watermark, 0, 1, 1}
    end
    local allowed, arrival, remaining, reset, retry =
        gcra(tonumber(state[2] or '0'), now, tonumber(args[4]), tonumber(args[5]))
    if not allowed then
        return {2, account, watermark, 0, seconds(reset), math.max(1, seconds(retry))}
    end
    store_arrival(prefix .. ':rate', arrival, now)
    redis.call('ZADD', places, math.max(tonumber(args[2]), now_ms + 1), args[1])
    if taken == 0 or seen_anew then -- whoever goes on asking refreshes the session, and this with it
        redis.call('PEXPIREAT', places, now_ms + PLACES_MS)
    end
    return {1, account, watermark, remaining, seconds(reset), 0, note}
end

local function limit(keys, args)
    local now = now_us()
    local allowed, arrival, remaining, reset, retry =
        gcra(tonumber(redis.call('GET', keys[1]) or '0'), now, tonumber(args[1]), tonumber(args[2]))
    if not allowed then
        return {0, 0, seconds(reset), math.max(1, seconds(retry))}
    end
    store_arrival(keys[1], arrival, now)
    return {1, remaining, seconds(reset), 0}
end

-- Failures of one key within a window. The first failures_max are free; they fill the window, and from then on its door is closed, also to right
-- passwords: for the window's length, and for twice as long each time that one was filled within a day. A filled window counts as such when it is over,
-- so attempts that were under way and turned out right have been given back by then.
local function failures(key, failures_max, window_ms, now_ms)
    local state = redis.call('HMGET', key, 'count', 'start_ms', 'strikes', 'forget_ms')
    local door = {key = key, failures_max = failures_max, window_ms = window_ms, count = tonumber(state[1] or '0'),
        start_ms = tonumber(state[2] or now_ms), strikes = tonumber(state[3] or '0'), forget_ms = tonumber(state[4] or '0')}
    function door.filled()
        return door.count >= door.failures_max
    end
    function door.end_ms()
        return door.start_ms + door.window_ms * (door.filled() and 2 ^ door.strikes or 1)
    end
    local end_ms = door.end_ms()
    if now_ms >= end_ms then
        if door.filled() then
            door.strikes, door.forget_ms = math.min(door.strikes + 1, STRIKES_MAX), end_ms + STRIKES_S * 1000
        end
        door.count, door.start_ms = 0, now_ms
        door.strikes = now_ms < door.forget_ms and door.strikes or 0
    end
    return door
end

local function count_failure(door)
    door.count = door.count + 1
    redis.call('HSET', door.key, 'count', integer(door.count), 'start_ms', integer(door.start_ms), 'strikes', integer(door.strikes),
        'forget_ms', integer(door.forget_ms))
    local needed_ms = door.filled() and door.end_ms() + STRIKES_S * 1000 or door.end_ms()
    redis.call('PEXPIREAT', door.key, integer(math.max(needed_ms, door.forget_ms)))
end

-- An attempt counts when it starts, so that many at once are many; it is given back when it was right. What one door refuses the other doesn't count.
local function log_in_attempt(keys, args)
    local now_ms = math.floor(now_us() / 1000)
    local window_ms = tonumber(args[2]) * 1000
    local doors = {failures(keys[1], tonumber(args[1]), window_ms, now_ms)}
    if keys[2] then
        doors[2] = failures(keys[2], tonumber(args[3]), window_ms, now_ms)
    end
    for i, door in ipairs(doors) do
        if door.filled() then
            local wait = seconds((door.end_ms() - now_ms) * 1000)
            return {0, 0, wait, math.max(1, wait), i - 1}
        end
    end
    for _, door in ipairs(doors) do
        count_failure(door)
    end
    return {1, doors[1].failures_max - doors[1].count, seconds((doors[1].start_ms + window_ms - now_ms) * 1000), 0, 0}
end

-- The growth stays, whatever was right since: a tag is short, so whoever guesses can have an account of his own with the one he attacks.
local function log_in_given_back(keys)
    for _, key in ipairs(keys) do
        if tonumber(redis.call('HGET', key, 'count') or '0') > 0 then
            redis.call('HINCRBY', key, 'count', -1)
        end
    end
    return 1
end

local function release(keys, args)
    return redis.call('ZREM', keys[1], args[1])
end

-- Watermarks of one epoch compare by LSN (16 hex digits, so as text); of one cluster, by timeline: a promotion only ever adds one. Where the cluster
-- itself was made anew nothing can be compared, and the last writer's stands: readers go to the primary while it isn't their primary's epoch.
local function watermark_raise(keys, args)
    local system, timeline, lsn = string.match(args[1], '^(%d+)/(%d+):(%x+)$')
    if not system or #lsn ~= 16 then
        return redis.error_reply('ERR not a watermark')
    end
    local known = redis.call('GET', keys[1])
    if known then
        local known_system, known_timeline, known_lsn = string.match(known, '^(%d+)/(%d+):(%x+)$')
        if known_system == system then
            if tonumber(known_timeline) > tonumber(timeline) then
                return 0
            end
            if known_timeline == timeline and known_lsn >= lsn then
                redis.call('EXPIRE', keys[1], WATERMARK_S)
                return 1
            end
        end
    end
    redis.call('SET', keys[1], args[1], 'EX', WATERMARK_S)
    return 1
end

-- Never over a tombstone; never takes a last-seen time back. Without a note the one that is there stays.
local function store_session(session, revoked, account, id, idle_s, expires_ms, seen_ms, note, now_ms)
    if redis.call('EXISTS', revoked) == 1 then
        return 0
    end
    local idle = tonumber(idle_s) * 1000
    local seen = tonumber(seen_ms)
    if seen == 0 then
        seen = now_ms
    end
    seen = math.max(seen, tonumber(redis.call('HGET', session, 'seen_ms') or '0'))
    redis.call('HSET', session, 'account', account, 'id', id, 'idle_ms', integer(idle), 'expires_ms', integer(tonumber(expires_ms)),
        'seen_ms', integer(seen))
    if note and note ~= '' and #note <= NOTE_BYTES_MAX then
        redis.call('HSET', session, 'note', note)
    end
    redis.call('PEXPIREAT', session, integer(math.min(tonumber(expires_ms), seen + idle)))
    return 1
end

local function session_put(keys, args)
    return store_session(keys[1], keys[2], args[1], args[2], args[3], args[4], args[5], args[6], math.floor(now_us() / 1000))
end

local function sessions_load(keys, args)
    local now_ms, stored, count = math.floor(now_us() / 1000), 0, #keys / 2
    for i = 1, count do
        local a = (i - 1) * 5
        stored = stored + store_session(keys[2 * i - 1], keys[2 * i], args[a + 1], args[a + 2], args[a + 3], args[a + 4], args[a + 5],
            args[5 * count + i], now_ms)
    end
    return stored
end

local function session_revoke(keys, args)
    local removed = 0
    for i = 1, #keys, 2 do
        redis.call('SET', keys[i + 1], '1', 'EX', args[1])
        removed = removed + redis.call('DEL', keys[i])
    end
    return removed
end

local function sessions_seen(keys)
    local answer = {}
    for i, key in ipairs(keys) do
        answer[i] = tonumber(redis.call('HGET', key, 'seen_ms') or '0')
    end
    return answer
end

-- The nonce tells epoch_set that what load_begin began is still there: a flush in between takes it away with the sessions.
local function load_begin(keys, args)
    redis.call('FLUSHDB')
    redis.call('SET', keys[2], args[1])
    return 1
end

local function epoch_set(keys, args)
    if redis.call('GET', keys[2]) ~= args[1] then
        return 0
    end
    redis.call('SET', keys[1], args[2])
    return 1
end

local function library()
    return {VERSION, TEXT_HASH}
end

redis.register_function{function_name = 'quire_library', callback = library, flags = {'no-writes'}}
redis.register_function('quire_check', check)
redis.register_function('quire_limit', limit)
redis.register_function('quire_log_in_attempt', log_in_attempt)
redis.register_function('quire_log_in_succeeded', log_in_given_back)
redis.register_function('quire_log_in_undone', log_in_given_back)
redis.register_function('quire_release', release)
redis.register_function('quire_watermark_raise', watermark_raise)
redis.register_function('quire_session_put', session_put)
redis.register_function('quire_session_revoke', session_revoke)
redis.register_function{function_name = 'quire_sessions_seen', callback = sessions_seen, flags = {'no-writes'}}
redis.register_function('quire_sessions_load', sessions_load)
redis.register_function('quire_load_begin', load_begin)
redis.register_function('quire_epoch_set', epoch_set)
