import CloakroomTokens
import Foundation

/// One cell of the matrix while it is played: a victim at a bank, and an attacker elsewhere. Its hosts are its own, so
/// that no cookie of another cell is in the way.
struct Scene: Sendable {
    let name: String
    let target: Target
    let attacker: AttackerServer
    let browser: LabBrowser
    let victim: Bank.Account
    let thief: Bank.Account

    static let password = "correct horse battery"

    /// - Parameter name: unique in the run, good in a host name.
    init(_ name: String, _ target: Target, _ attacker: AttackerServer, _ browser: LabBrowser) async throws {
        self.name = name
        self.target = target
        self.attacker = attacker
        self.browser = browser
        let host = "app.\(name).localhost"
        victim = try await target.open("victim.\(name)@example.com", password: Self.password, host: host)
        thief = try await target.open("thief.\(name)@example.com", password: Self.password, host: host)
    }

    var host: String { "app.\(name).localhost" }
    var siblingHost: String { "sib.\(name).localhost" }
    var origin: String { "http://\(host):\(target.server.port)" }
    var attackerOrigin: String { "http://evil.localhost:\(attacker.server.port)" }
    var siblingOrigin: String { "http://\(siblingHost):\(attacker.server.port)" }

    // MARK: The victim

    func openBank() async throws {
        do {
            try await browser.open(origin + "/")
            try await ready()
        } catch {
            // WebKitGTK loses a load now and then; people reload.
            try await browser.open(origin + "/")
            try await ready()
        }
    }

    private func ready() async throws {
        try await wait("the bank's page", seconds: 6) {
            try await browser.run("return document.body?.dataset.ready ?? ''") == "yes"
        }
    }

    func logIn() async throws {
        try await openBank()
        try await fillInLogin()
        try await wait("the victim to be logged in") { try await shownAccount() == victim.email }
    }

    /// Does what the victim does, whatever comes of it.
    func tryToLogIn() async throws {
        let path = target.storage.isOurs ? "/auth/login" : "/login"
        try await fillInLogin()
        try await wait("the login to be answered") { !requests("POST", path).isEmpty }
        try await pause(0.5)
    }

    private func fillInLogin() async throws {
        try await browser.type("#email", victim.email)
        try await browser.type("#password", victim.password)
        try await browser.click("#go")
    }

    func logOut() async throws {
        try await browser.click("#out")
        try await wait("the victim to be logged out") { try await shownAccount().isEmpty }
    }

    /// Whose account the page shows; empty for nobody's.
    func shownAccount() async throws -> String {
        try await browser.run(
            "return document.getElementById('inside').hidden ? '' : document.getElementById('who').textContent"
        ).stringValue ?? ""
    }

    /// In words, without the names that are different in each cell.
    func whose(_ shown: String) -> String {
        switch shown {
        case "": "nobody's"
        case victim.email: "the victim's"
        case thief.email: "the attacker's"
        default: "\(shown)'s"
        }
    }

    // MARK: The attacker

    /// Makes a file of the attacker's, with what every one of them needs to know in front of a script.
    func put(_ body: [UInt8], as file: String) -> String {
        let text = String(decoding: body, as: UTF8.self)
        let isScript = file.hasSuffix(".js")
        attacker.put(
            isScript ? constants + text : filled(text), as: file,
            type: isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8", for: name)
        return "/files/\(name)/\(file)"
    }

    private var constants: String {
        """
        globalThis.LOOT = "\(attackerOrigin)/loot/\(name)"; globalThis.FILES = "\(attackerOrigin)/files/\(name)/";
        globalThis.THIEF = { email: "\(thief.email)", password: "\(thief.password)" };
        globalThis.PRIVATE_PORT = \(target.proxies?.server.port ?? 0);

        """
    }

    private func filled(_ html: String) -> String {
        let values = [
            "TARGET": origin, "THIEF": thief.email, "PASSWORD": thief.password,
            "REDIRECT": "\(attackerOrigin)/redirect/\(name)", "LOOT": "\(attackerOrigin)/loot/\(name)",
            "SOCKET": "ws://\(host):\(target.server.port)",
        ]
        return values.reduce(html) { $0.replacing("{{\($1.key)}}", with: $1.value) }
    }

    /// Script in the page from its first moment: a compromised dependency.
    func inject(_ script: [UInt8]) {
        target.pages[host].injected = attackerOrigin + put(script, as: "injected.js")
    }

    /// Script that gets into the page while it is open.
    func injectNow(_ script: [UInt8]) async throws {
        let address = attackerOrigin + put(script, as: "injected-now.js")
        try await browser.run(
            """
            await new Promise((loaded, failed) => {
                const script = document.createElement("script");
                [script.src, script.onload, script.onerror] = [args[0], loaded, failed];
                document.head.append(script);
            });
            """, .string(address))
    }

    /// The victim opens a page of the attacker's, on their own host or on a sibling of the bank's.
    func visit(_ page: [UInt8], as file: String, sibling: Bool = false) async throws {
        try await browser.open((sibling ? siblingOrigin : attackerOrigin) + put(page, as: file))
    }

    /// Loot that has arrived, once some has.
    func loot(seconds: Double = 8) async throws -> [String] {
        try await wait("loot to arrive", seconds: seconds) { !attacker.loot(of: name).isEmpty }
        return attacker.loot(of: name)
    }

    /// A request from another machine, which can write any header.
    func outside(
        _ method: String, _ path: String, headers: [(String, String)] = [], _ body: [UInt8] = []
    ) async throws -> LocalHTTP.Reply {
        let port = target.server.port
        return try await LocalHTTP.send(
            method, port: port, path,
            headers: [("Host", "\(host):\(port)"), ("Origin", origin), ("User-Agent", userAgent)]
                + headers, body: body)
    }

    /// A thief copies that as well: on plain loopback it decides the name of Cloakroom's cookie.
    private var userAgent: String {
        switch browser.engine {
        case .chromium: "Chrome/150 \(LoggedRequest.elsewhere)"
        case .firefox: "Firefox/150 \(LoggedRequest.elsewhere)"
        case .webkit: "AppleWebKit/605.1.15 Safari/605.1.15 \(LoggedRequest.elsewhere)"
        }
    }

    /// Whether this has reached the attacker.
    func hasLost(_ secret: String) -> Bool {
        attacker.loot(of: name).contains { $0.contains(secret) }
    }

    // MARK: The books

    var victimNow: Bank.Account { target.bank.account(victim.email) ?? victim }
    var thiefNow: Bank.Account { target.bank.account(thief.email) ?? thief }

    /// What the bank was asked under this cell's host.
    func requests(_ method: String, _ path: String) -> [LoggedRequest] {
        target.log.of(host: host).filter { $0.method == method && $0.path == path }
    }

    func pause(_ seconds: Double) async throws {
        try await Task.sleep(for: .seconds(seconds))
    }
}
