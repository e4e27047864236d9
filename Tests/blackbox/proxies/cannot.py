"""What a proxy cannot do: the rows of the tests with another outcome, and the sentence about it on the page of the proxy."""

BYTES = "a target with bytes that are not ASCII"
PREFIX = "a header that begins with X-Auth- and is none of ours"
HANDSHAKE = "a renewed cookie on the response to a WebSocket handshake"
POLICY = "no-store in place of the app's own Cache-Control, on an error"
STEP_UP = "one session cookie on the response to a step-up of the app that renewed the session on the way"
TRAILERS = "trailers of a request that do not arrive"

CANNOT = {
    "nginx": {
        PREFIX: "nginx cannot remove request headers by prefix.",
        POLICY: "On a 404 or 500 of the app, nginx adds `no-store` to the app's own `Cache-Control`.",
    },
    "caddy": {
        STEP_UP: "The response to a step-up of your own login may have two session cookies.",
    },
    "haproxy": {
        TRAILERS: "HAProxy forwards the trailers of a request.",
        BYTES: "HAProxy responds 400 to a target with bytes that are not ASCII.",
    },
    "envoy": {
        BYTES: "Envoy responds 400 to a target with bytes that are not ASCII.",
    },
    "apache": {
        HANDSHAKE: "Apache drops a renewed cookie from the response to a WebSocket handshake.",
    },
}


def cannot(place, row):
    return row in CANNOT[place.kind.name]
