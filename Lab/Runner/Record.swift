import CloakroomTokens

/// What the servers saw while a cell was played, in the order of time: a verdict can be checked against it.
package struct Record: Sendable {
    /// Who it was that a server heard from.
    enum Sender: String, Sendable {
        case browser
        /// The attacker's own machine, with what was stolen.
        case thief
        /// The attacker's host, which script and pages send home to.
        case loot
    }

    struct Entry: Sendable {
        /// Seconds since the cell began, to a hundredth.
        let time: Double
        let sender: Sender
        let method: String
        let address: String
        let origin: String?
        let site: String?
        let hasCookie: Bool
        let status: Int
        let setsCookie: Bool

        /// Whether it is more than the victim's own page at its work.
        func isTelling(of bank: String) -> Bool {
            sender != .browser || method != "GET" || status >= 400 || setsCookie || address.hasPrefix("/rates")
                || origin.map { $0 != bank } == true || site == "cross-site" || site == "same-site"
        }
    }

    /// The bank's own origin in this cell.
    let origin: String
    let entries: [Entry]

    /// Those that an attack shows in, the same one after another only once, with how often.
    var telling: [(entry: Entry, times: Int)] {
        entries.filter { $0.isTelling(of: origin) }.reduce(into: []) { list, entry in
            if let last = list.last, last.entry.line == entry.line {
                list[list.count - 1].times += 1
            } else {
                list.append((entry, 1))
            }
        }
    }

    var json: JSONValue {
        .array(
            entries.map { entry in
                var object: JSONObject = [
                    "at_ms": .integer(Int64(entry.time * 1000)), "from": .string(entry.sender.rawValue),
                    "method": .string(entry.method), "address": .string(entry.address),
                    "cookie": .bool(entry.hasCookie), "status": .integer(Int64(entry.status)),
                    "sets_cookie": .bool(entry.setsCookie),
                ]
                if let origin = entry.origin { object["origin"] = .string(origin) }
                if let site = entry.site { object["sec_fetch_site"] = .string(site) }
                return .object(object)
            })
    }
}

extension Record.Entry {
    /// For people, without the time.
    var line: String {
        switch sender {
        case .loot: return "the attacker's host: \(address)"
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

    /// A token is good for somebody else as long as it lives.
    static func withoutTokens(_ address: String) -> String {
        address.replacing(/eyJ[\w.~-]+/, with: "<token>")
    }

    private static func summary(of loot: String) -> String {
        let tokens = loot.matches(of: /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/).count
        return "\(loot.utf8.count) bytes, \(tokens == 1 ? "1 token" : "\(tokens) tokens") in them"
    }
}
