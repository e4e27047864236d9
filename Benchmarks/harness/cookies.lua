-- Requests that carry one credential after another: `-- FILE HEADER PREFIX START`, or none of them.
local requests, position = {}, 0

function init(arguments)
    if not arguments[1] then
        return
    end
    for line in io.lines(arguments[1]) do
        wrk.headers[arguments[2]] = arguments[3] .. line
        requests[#requests + 1] = wrk.format()
    end
    position = tonumber(arguments[4]) % #requests
    request = function()
        position = position % #requests + 1
        return requests[position]
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nJSON {"count": %d, "us": %d, "p50": %.1f, "p99": %.1f, "max": %.1f, "status": %d, "socket": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
