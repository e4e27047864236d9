/// The requests that the servers received while a cell was played, in the order of time, as evidence for its verdict.
struct Record: Codable, Sendable {
    /// The client that sent a request.
    enum Sender: String, Codable, Sendable {
        case browser
        /// The attacker's machine, with stolen tokens.
        case thief
        /// Not a request to the bank: data that script or a page sent to the attacker's server.
        case loot
    }

    struct Entry: Codable, Sendable {
        /// Seconds since the cell began, rounded to a hundredth.
        let time: Double
        let sender: Sender
        let method: String
        let address: String
        let origin: String?
        let site: String?
        let hasCookie: Bool
        let status: Int
        let setsCookie: Bool

        /// Whether it may belong to the attack; most other requests are reads of the victim's own page.
        func isRelevant(to bank: String) -> Bool {
            sender != .browser || method != "GET" || status >= 400 || setsCookie || address.hasPrefix("/rates")
                || origin.map { $0 != bank } == true || site == "cross-site" || site == "same-site"
        }
    }

    /// The bank's own origin in this cell.
    let origin: String
    let entries: [Entry]

    /// The entries that may belong to the attack. Equal entries in a row are one, with their number.
    var relevant: [(entry: Entry, times: Int)] {
        entries.filter { $0.isRelevant(to: origin) }.reduce(into: []) { list, entry in
            if let last = list.last, last.entry.line == entry.line {
                list[list.count - 1].times += 1
            } else {
                list.append((entry, 1))
            }
        }
    }
}

extension Record.Entry {
    /// For the report, without the time.
    var line: String {
        switch sender {
        case .loot: return "to the attacker's host: \(address)"
        case .thief: return "from another machine: \(request)"
        case .browser: return "from the browser: \(request)"
        }
    }

    private var request: String {
        let marks = [
            origin.map { "Origin \($0)" }, site.map { "Sec-Fetch-Site \($0)" }, hasCookie ? "with cookie" : nil,
        ].compactMap { $0 }
        let how = marks.isEmpty ? "" : " (\(marks.joined(separator: ", ")))"
        return "\(method) \(address)\(how): \(status)\(setsCookie ? ", sets a cookie" : "")"
    }
}

extension Record {
    /// - Parameter beganAt: when the cell began.
    init(of scene: Scene, since beganAt: ContinuousClock.Instant) {
        let seconds = { (time: ContinuousClock.Instant) in
            (beganAt.duration(to: time) / .seconds(1) * 100).rounded() / 100
        }
        let asked = scene.target.log.of(host: scene.host).map { request in
            Entry(
                time: seconds(request.time), sender: request.isFromThief ? .thief : .browser, method: request.method,
                address: Self.withoutTokens(request.address), origin: request.origin, site: request.site,
                hasCookie: request.cookie != nil, status: request.status, setsCookie: request.setsCookie)
        }
        let loot = scene.attacker.arrivals(of: scene.name).map { arrival in
            Entry(
                time: seconds(arrival.time), sender: .loot, method: "POST", address: Self.summary(of: arrival.loot),
                origin: nil, site: nil, hasCookie: false, status: 200, setsCookie: false)
        }
        origin = scene.origin
        entries = (asked + loot).sorted { $0.time < $1.time }
    }

    /// Removes tokens: the report is published, and a token is valid until it expires.
    static func withoutTokens(_ address: String) -> String {
        address.replacing(/eyJ[\w.~-]+/, with: "<token>")
    }

    private static func summary(of loot: String) -> String {
        let tokens = loot.matches(of: /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/).count
        return "\(loot.utf8.count) bytes with \(tokens == 1 ? "1 token" : "\(tokens) tokens")"
    }
}
