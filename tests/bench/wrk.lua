-- wrk's side of the bench: whole requests from the file that routes.py wrote (a line with the bytes of each, then the bytes), the figures as one
-- JSON line. Each thread begins at another place of the file.
local requests, at = {}, 0
local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
for line in function() return file:read("*l") end do
    requests[#requests + 1] = file:read(tonumber(line))
end
file:close()

local threads = 0
function setup(thread)
    thread:set("thread_number", threads)
    threads = threads + 1
end

function init()
    at = thread_number * math.floor(#requests / 2)
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    io.stderr:write(string.format(
        '{"requests": %d, "seconds": %f, "p50_us": %d, "p95_us": %d, "p99_us": %d, "max_us": %d, "status_errors": %d, "socket_errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
