/// The commands of W3C WebDriver that the lab uses. The raw value is Marionette's name.
enum DriverCommand: String {
    case navigate = "WebDriver:Navigate"
    case script = "WebDriver:ExecuteAsyncScript"
    case find = "WebDriver:FindElement"
    case click = "WebDriver:ElementClick"
    case type = "WebDriver:ElementSendKeys"
    case timeouts = "WebDriver:SetTimeouts"

    /// The path below the session. `{id}` is the place of an element's id.
    var path: String {
        switch self {
        case .navigate: "/url"
        case .script: "/execute/async"
        case .find: "/element"
        case .click: "/element/{id}/click"
        case .type: "/element/{id}/value"
        case .timeouts: "/timeouts"
        }
    }
}

/// A connection that commands a browser.
protocol BrowserDriver: Sendable {
    /// - Throws: `LabError` with the browser's message.
    func send(_ command: DriverCommand, _ parameters: JSONObject) async throws -> JSONValue
    func end() async
    /// The version that the browser reports.
    var version: String { get }
}

/// W3C WebDriver over HTTP, for Chromium and WebKit.
final class WebDriver: BrowserDriver {
    private let process: ChildProcess
    private let display: ChildProcess?
    private let port: Int
    private let session: String
    let version: String

    /// - Parameters:
    ///   - program: the driver. It is started with the option `--port`.
    ///   - display: the browser's screen, ended together with it.
    init(
        _ program: String, capabilities: JSONObject, environment: [String: String] = [:], display: ChildProcess? = nil
    ) async throws {
        port = try ChildProcess.freePort()
        self.display = display
        process = try ChildProcess(program, ["--port=\(port)"], environment: environment)
        do {
            try await Self.wait(port)
            let wanted: JSONObject = ["capabilities": .object(["alwaysMatch": .object(capabilities)])]
            let answer = try await Self.request("POST", port, "/session", wanted)
            guard let id = answer.objectValue?["sessionId"]?.stringValue else { throw LabError("no session") }
            session = id
            version = answer.objectValue?["capabilities"]?.objectValue?["browserVersion"]?.stringValue ?? "unknown"
        } catch {
            await process.end()
            await display?.end()
            throw error
        }
    }

    private static func wait(_ port: Int) async throws {
        for _ in 0..<200 {
            if (try? await LocalHTTP.send("GET", port: port, "/status"))?.status == 200 { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw LabError("the driver does not accept connections")
    }

    private static func request(
        _ method: String, _ port: Int, _ path: String, _ body: JSONObject
    ) async throws -> JSONValue {
        let bytes = method == "POST" ? JSONValue.object(body).serialized : []
        let reply = try await LocalHTTP.send(
            method, port: port, path, headers: [("Content-Type", "application/json")], body: bytes)
        let value = try JSONValue(parsing: reply.body).objectValue?["value"] ?? .null
        guard reply.status < 400 else {
            let error = value.objectValue
            throw LabError("\(error?["error"]?.stringValue ?? ""): \(error?["message"]?.stringValue ?? "")")
        }
        return value
    }

    func send(_ command: DriverCommand, _ parameters: JSONObject) async throws -> JSONValue {
        let element = parameters["id"]?.stringValue ?? ""
        let path = "/session/\(session)" + command.path.replacing("{id}", with: element)
        return try await Self.request("POST", port, path, parameters)
    }

    func end() async {
        // A driver that hangs is ended without its consent.
        _ = try? await within(seconds: 5) { [port, session] in
            try await Self.request("DELETE", port, "/session/\(session)", [:])
        }
        await process.end()
        await display?.end()
    }
}
