import CloakroomTokens

extension Scene {
    /// Forms, fetches, beacons and frames without an origin, in the background; then openly, and by way of a redirect.
    func sendRequestsFromElsewhere(sibling: Bool) async throws -> Outcome {
        try await logIn()
        attacker.redirect(name, to: origin + "/api/transfer")
        let pages = [
            ("quietly", PackageResources.cross_site_quietly_html, 4),
            ("openly", PackageResources.cross_site_openly_html, 1),
            ("redirected", PackageResources.cross_site_redirected_html, 1),
        ]
        var evidence: [String] = []
        var arrived = 0
        for (name, page, least) in pages {
            let before = thiefNow.balance
            try await visit(page, as: "\(name).html", sibling: sibling)
            try await wait("\(name): the requests to arrive") {
                requests("POST", "/api/transfer").count >= arrived + least
            }
            try await pause(0.2)
            arrived = requests("POST", "/api/transfer").count
            evidence.append("\(name): \(thiefNow.balance - before) of \(arrived) requests so far moved money")
        }
        let withSession = requests("POST", "/api/transfer").filter { $0.cookie != nil }.count
        evidence.append("\(withSession) of \(arrived) requests carried a cookie")
        return .of(thiefNow.balance > 1000, evidence)
    }

    /// Has a page elsewhere send its form to a path of the bank's, from another site and then from a sibling host, and
    /// looks whose page the bank's is afterwards.
    func forge(_ html: [UInt8], to path: String, _ hasWorked: (_ shown: String) -> Bool) async throws -> Outcome {
        let page = Array(String(decoding: html, as: UTF8.self).replacing("{{PATH}}", with: path).utf8)
        var evidence: [String] = []
        for (place, isSibling) in [("another site", false), ("a sibling host", true)] {
            let before = requests("POST", path).count
            try await visit(page, as: "forgery.html", sibling: isSibling)
            try await wait("the form to arrive") { requests("POST", path).count > before }
            try await openBank()
            try await pause(0.3)
            let shown = try await shownAccount()
            let status = requests("POST", path)[before].status
            evidence.append("from \(place) the form was answered \(status), then the page is \(whose(shown))")
            if hasWorked(shown) { return .of(true, evidence) }
        }
        return .of(false, evidence)
    }

    /// A page on a sibling host sets the attacker's session for the whole domain.
    func tossCookies() async throws {
        let own = try await session(of: thief)
        let html = String(decoding: PackageResources.cookie_tossing_html, as: UTF8.self)
        let page = Array(html.replacing("{{PLANTED}}", with: own.asScriptString).utf8)
        try await visit(page, as: "toss.html", sibling: true)
    }

    /// Whose the page is now, and after a renewal, which meets the tossed cookies too.
    func watchForSwitchedAccount() async throws -> Outcome {
        let first = try await shownAccount()
        try await pause(Target.accessTokenLife + 0.7)
        let then = try await shownAccount()
        guard requests("GET", "/api/account").contains(where: { $0.cookie?.contains("tossed=1") == true }) else {
            throw LabError("no cookie from the sibling came to the bank")
        }
        return .of(
            first == thief.email || then == thief.email,
            [
                "the sibling's cookies came to the bank", "the page is \(whose(first))",
                "after a renewal it is \(whose(then))",
            ])
    }

    /// The app's own worker that passes everything through, in charge of its pages. One that holds the tokens is one too.
    func installOfflineWorker() async throws {
        guard target.storage != .serviceWorker else { return }
        target.pages[host].hasOfflineWorker = true
        try await openBank()
        try await wait("the app's worker") {
            try await browser.run("return navigator.serviceWorker.controller ? 'yes' : 'no'") == "yes"
        }
    }

    /// Reads what the app's socket says to its own page, which shows that it works, and then from a page elsewhere.
    func openSocketFromElsewhere(sibling: Bool) async throws -> Outcome {
        try await logIn()
        try await browser.click("#live")
        try await wait("the socket's news") { try await !news().isEmpty }
        let isOurs = try await news() == victim.secret
        // A worker cannot put a token on a socket, so its app has none that works.
        guard isOurs || target.storage == .serviceWorker else { throw LabError("the app's own socket does not work") }
        try await visit(PackageResources.websocket_html, as: "socket.html", sibling: sibling)
        try await wait("the socket to close") { hasLost("closed") }
        guard let handshake = requests("GET", "/api/live").last(where: { $0.origin != origin }) else {
            throw LabError("no handshake from elsewhere has arrived")
        }
        let hasRead = hasLost(victim.secret)
        return .of(
            hasRead,
            [
                "the handshake was answered \(handshake.status), with \(handshake.cookie == nil ? "no cookie" : "the cookie")",
                hasRead ? "the secret reached the attacker" : "nothing reached the attacker",
            ])
    }

    private func news() async throws -> String {
        try await browser.run("return document.getElementById('news').value").stringValue ?? ""
    }
}
