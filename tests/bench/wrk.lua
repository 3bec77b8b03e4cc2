-- wrk's side of the bench: requests from files that run.py wrote, figures as one JSON line.
local method, path, token, body = os.getenv("BENCH_METHOD"), os.getenv("BENCH_PATH"), os.getenv("BENCH_TOKEN"), os.getenv("BENCH_BODY")

wrk.method = method
wrk.path = path
if token and token ~= "" then wrk.headers["Authorization"] = "Bearer " .. token end
if body and body ~= "" then
    wrk.body = body
    wrk.headers["Content-Type"] = "application/json"
end

done = function(summary, latency, requests)
    local errors = summary.errors
    io.stderr:write(string.format(
        '{"requests": %d, "seconds": %f, "p50_us": %d, "p95_us": %d, "p99_us": %d, "max_us": %d, "status_errors": %d, "socket_errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
