import Foundation
import Synchronization

/// The browser engines that Debian has packages for.
enum BrowserEngine: String, CaseIterable, Codable, Sendable {
    case chromium, firefox, webkit

    /// The name in reports.
    var title: String {
        switch self {
        case .chromium: "Chromium"
        case .firefox: "Firefox"
        case .webkit: "WebKit"
        }
    }

    /// The programs that the lab starts, with the Debian package of each.
    var programs: [(program: String, package: String)] {
        switch self {
        case .chromium: [("chromium", "chromium"), ("chromedriver", "chromium-driver")]
        case .firefox: [("firefox-esr", "firefox-esr")]
        case .webkit: [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")]
        }
    }

    /// The Debian packages that are missing on this machine.
    var missingPackages: [String] {
        programs.filter { ChildProcess.find($0.program) == nil }.map(\.package)
    }
}

/// A browser with a profile of its own.
final class LabBrowser: Sendable {
    let engine: BrowserEngine
    private let driver: any BrowserDriver
    /// Seconds after which a browser that has not answered a command is ended. Longer than the limits that it has itself.
    private static let limit = 45.0

    private static let element = "element-6066-11e4-a52e-4f735466cecf"
    /// Milliseconds that a page load or a script may take.
    private static let patience: JSONValue = 20000

    init(_ engine: BrowserEngine) async throws {
        self.engine = engine
        switch engine {
        case .chromium: driver = try await Self.chromium()
        case .firefox: driver = try await Marionette("firefox-esr", capabilities: ["acceptInsecureCerts": true])
        case .webkit: driver = try await Self.webKit()
        }
        _ = try await driver.send(
            .timeouts, ["script": Self.patience, "pageLoad": Self.patience, "implicit": 0])
    }

    private static func chromium() async throws -> WebDriver {
        let options: JSONObject = [
            "binary": .string(ChildProcess.find("chromium") ?? "chromium"),
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
            // Debian's build blocks third-party cookies by default, Chrome does not.
            "prefs": ["profile.cookie_controls_mode": 0, "profile.block_third_party_cookies": false],
        ]
        return try await WebDriver("chromedriver", capabilities: ["goog:chromeOptions": .object(options)])
    }

    /// The number of the latest X screen. The first one depends on the process id, so that two labs can run.
    private static let nextScreen = Atomic(1000 + Int(ProcessInfo.processInfo.processIdentifier) % 2000 * 16)

    /// Starts MiniBrowser on a virtual screen: it has no headless mode.
    private static func webKit() async throws -> WebDriver {
        let browser = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib").lazy
            .map { "/usr/lib/\($0)/webkit2gtk-4.1/MiniBrowser" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let browser else { throw LabError("MiniBrowser is missing: install webkit2gtk-driver") }
        let number = nextScreen.wrappingAdd(1, ordering: .relaxed).newValue
        let display = try ChildProcess("Xvfb", [":\(number)", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"])
        try await wait("the screen") { FileManager.default.fileExists(atPath: "/tmp/.X11-unix/X\(number)") }
        let options: JSONObject = ["binary": .string(browser), "args": ["--automation", "--cookies-policy=always"]]
        return try await WebDriver(
            "WebKitWebDriver",
            capabilities: ["browserName": "MiniBrowser", "webkitgtk:browserOptions": .object(options)],
            environment: ["DISPLAY": ":\(number)", "LIBGL_ALWAYS_SOFTWARE": "1"], display: display)
    }

    func end() async { await driver.end() }

    /// - Throws: `LabError`, also when the browser does not answer in time.
    private func send(_ command: DriverCommand, _ parameters: JSONObject) async throws -> JSONValue {
        let watch = Task { [driver] in
            try await Task.sleep(for: .seconds(Self.limit))
            await driver.end()
        }
        defer { watch.cancel() }
        return try await driver.send(command, parameters)
    }

    /// Name and version for the report.
    var description: String {
        switch engine {
        case .chromium: "Chromium \(driver.version)"
        case .firefox: "Firefox \(driver.version)"
        case .webkit: "WebKitGTK \(driver.version)"
        }
    }

    func open(_ url: String) async throws {
        _ = try await send(.navigate, ["url": .string(url)])
    }

    /// Runs `script` as the body of an async function in the page.
    /// - Returns: the function's result.
    @discardableResult
    func run(_ script: String, _ arguments: JSONValue...) async throws -> JSONValue {
        let wrapped = """
            const done = arguments[arguments.length - 1]; const args = [...arguments].slice(0, -1);
            (async () => { \(script) })().then((value) => done({ value }), (error) => done({ failure: String(error) }));
            """
        let answer = try await send(.script, ["script": .string(wrapped), "args": .array(arguments)]).objectValue
        if let failure = answer?["failure"]?.stringValue { throw LabError(failure) }
        return answer?["value"] ?? .null
    }

    func click(_ selector: String) async throws {
        _ = try await send(.click, ["id": .string(try await find(selector))])
    }

    func type(_ selector: String, _ text: String) async throws {
        _ = try await send(.type, ["id": .string(try await find(selector)), "text": .string(text)])
    }

    private func find(_ selector: String) async throws -> String {
        let answer = try await send(.find, ["using": "css selector", "value": .string(selector)])
        guard let id = answer.objectValue?[Self.element]?.stringValue else { throw LabError("no \(selector)") }
        return id
    }
}
