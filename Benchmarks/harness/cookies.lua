-- Sends requests with one credential after another: `-- FILE HEADER PREFIX START [KINDS]`, or without credentials.
-- With KINDS, each request is from one of so many kinds of clients, each with its own User-Agent and trace headers.
local requests, position = {}, 0

local function describe(kind)
    wrk.headers["User-Agent"] = string.format(
        "Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.%d", kind, kind % 200, kind)
    wrk.headers["traceparent"] = string.format("00-%032x-%016x-01", kind + 1, kind + 1)
    wrk.headers["tracestate"] = string.format("vendor=%x", kind)
    wrk.headers["baggage"] = string.format("user=%d,release=%d", kind, kind % 7)
    wrk.headers["X-Request-Id"] = string.format("%08x-0000-4000-8000-%012x", kind, kind)
end

local function lines_of(file)
    local lines = {}
    for line in io.lines(file) do
        lines[#lines + 1] = line
    end
    return lines
end

function init(arguments)
    if not arguments[1] then
        return
    end
    local lines, kinds = lines_of(arguments[1]), tonumber(arguments[5] or 0)
    for number = 1, math.max(#lines, kinds) do
        wrk.headers[arguments[2]] = arguments[3] .. lines[(number - 1) % #lines + 1]
        if kinds > 0 then
            describe(number % kinds)
        end
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
