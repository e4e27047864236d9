import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens

/// The parameter `state` with which a receiving host sends the browser to the login host.
///
/// It is base64url, so that it stays as long as it is in the `return_to` of the login page. It has no signature: anybody can
/// start a hand-over, and the code that comes of it is worth nothing without the flow cookie.
struct HandOverState: Hashable, Sendable {
    let request: HandOverRequest

    /// The browser goes to `/` in place of a longer path: each code is kept in the store with its path.
    private static let longestPath = 1000
    private static let longestText = 2000
    private static let digestSize = 32

    init(_ request: HandOverRequest) {
        self.request = request
    }

    /// - Parameters:
    ///   - flow: the flow cookie.
    ///   - returnTo: a path on the host; nil for its root.
    ///   - isStepUp: whether the user has to authenticate afresh.
    init(from host: WebOrigin, flow: Secret, startedAt: Instant, returnTo: String?, isStepUp: Bool) {
        let path = returnTo.flatMap { $0.utf8.count <= Self.longestPath ? $0 : nil } ?? "/"
        self.init(
            HandOverRequest(
                host: host, flow: SessionService.digest(flow, startedAt: startedAt), startedAt: startedAt,
                returnTo: path, isStepUp: isStepUp))
    }

    /// Whether a receiving host can have made the state: none makes one of the future. Such a state of a step-up would
    /// send the user to the password page again and again.
    func isPossible(at now: Instant) -> Bool {
        request.startedAt <= now + .clockLeeway
    }

    var text: String {
        var object: JSONObject = [
            "host": .string(request.host.description), "flow": .string(Base64URL.encode(request.flow)),
            "started_at": .integer(request.startedAt.milliseconds), "return_to": .string(request.returnTo),
        ]
        if request.isStepUp { object["step_up"] = .bool(true) }
        return Base64URL.encode(JSONValue.object(object).serialized)
    }

    /// Parses the text of a state; nil for any other text, and for a path that leads to another host.
    init?(parsing text: String) {
        guard text.utf8.count <= Self.longestText, let bytes = Base64URL.decode(Array(text.utf8)),
            let object = try? JSONReader.read(bytes).objectValue,
            let host = object["host"]?.stringValue.flatMap({ WebOrigin(parsing: $0) }),
            let flow = object["flow"]?.stringValue.flatMap({ Base64URL.decode(Array($0.utf8)) }),
            flow.count == Self.digestSize,
            let startedAt = object["started_at"]?.integerValue, startedAt >= 0,
            let path = object["return_to"]?.stringValue, path.utf8.count <= Self.longestPath,
            SameOriginPath.isSafe(path)
        else { return nil }
        self.init(
            HandOverRequest(
                host: host, flow: flow, startedAt: Instant(milliseconds: startedAt), returnTo: path,
                isStepUp: object["step_up"]?.boolValue ?? false))
    }
}
