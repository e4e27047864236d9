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

    /// Longer paths would not fit the target of a request: the browser then goes to `/`.
    private static let longestPath = 2000
    private static let longestText = 3500
    private static let digestSize = 32

    init(_ request: HandOverRequest) {
        self.request = request
    }

    /// - Parameters:
    ///   - returnTo: a path on the host; nil for its root.
    ///   - freshSince: nil unless the user has to authenticate afresh.
    init(from host: WebOrigin, flow: Secret, returnTo: String?, freshSince: Instant?) {
        let path = returnTo.flatMap { $0.utf8.count <= Self.longestPath ? $0 : nil } ?? "/"
        self.init(
            HandOverRequest(
                host: host, flow: SessionService.digest(flow), returnTo: path, freshSince: freshSince))
    }

    var text: String {
        var object: JSONObject = [
            "host": .string(request.host.description), "flow": .string(Base64URL.encode(request.flow)),
            "return_to": .string(request.returnTo),
        ]
        if let since = request.freshSince { object["fresh_since"] = .integer(since.milliseconds) }
        return Base64URL.encode(JSONValue.object(object).serialized)
    }

    /// Parses the text of a state; nil for any other text, and for a path that leads to another host.
    init?(parsing text: String) {
        guard text.utf8.count <= Self.longestText, let bytes = Base64URL.decode(Array(text.utf8)),
            let object = try? JSONReader.read(bytes).objectValue,
            let host = object["host"]?.stringValue.flatMap({ WebOrigin(parsing: $0) }),
            let flow = object["flow"]?.stringValue.flatMap({ Base64URL.decode(Array($0.utf8)) }),
            flow.count == Self.digestSize,
            let path = object["return_to"]?.stringValue, SameOriginPath.isSafe(path)
        else { return nil }
        let since = object["fresh_since"]?.integerValue.map { Instant(milliseconds: $0) }
        self.init(HandOverRequest(host: host, flow: flow, returnTo: path, freshSince: since))
    }
}
