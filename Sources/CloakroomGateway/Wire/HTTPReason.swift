/// The reason phrases of the gateway's own answers (RFC 9110 section 15).
enum HTTPReason {
    static func phrase(_ status: Int) -> String {
        phrases[status] ?? "Unknown"
    }

    private static let phrases = [
        302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 408: "Request Timeout", 413: "Content Too Large", 414: "URI Too Long",
        417: "Expectation Failed", 421: "Misdirected Request", 431: "Request Header Fields Too Large",
        501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
        505: "HTTP Version Not Supported",
    ]
}
