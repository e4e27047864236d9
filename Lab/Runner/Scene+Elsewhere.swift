extension Scene {
    /// Sends the transfer in the background (forms, fetch, beacon, a frame without origin), then by a top-level form, then
    /// through a redirect.
    func sendRequestsFromElsewhere(sibling: Bool) async throws -> Outcome {
        try await logIn()
        attacker.redirect(name, to: origin + "/api/transfer")
        let pages = [
            ("in the background", "quietly.html", 4), ("by a top-level form", "openly.html", 1),
            ("through a redirect", "redirected.html", 1),
        ]
        var evidence: [String] = []
        var arrived = 0
        for (how, page, least) in pages {
            let before = thiefNow.balance
            try await visit(try LabFile.text("attacks/csrf/\(page)"), as: page, sibling: sibling)
            try await wait("\(how): the requests to arrive") {
                requests("POST", "/api/transfer").count >= arrived + least
            }
            try await pause(0.2)
            let count = requests("POST", "/api/transfer").count
            evidence.append("\(how): \(thiefNow.balance - before) of \(count - arrived) requests moved money")
            arrived = count
        }
        let withSession = requests("POST", "/api/transfer").filter { $0.cookie != nil }.count
        evidence.append("\(withSession) of \(arrived) requests had a cookie")
        return .of(thiefNow.balance > 1000, evidence)
    }

    /// Sends the form of a page to a path of the bank, from another site and then from a sibling host, and looks whose
    /// account the bank's page shows after each.
    func forge(_ file: String, to path: String, _ hasWorked: (_ shown: String) -> Bool) async throws -> Outcome {
        let page = try LabFile.text("attacks/\(file)").replacing("{{PATH}}", with: path)
        var evidence: [String] = []
        for (place, isSibling) in [("another site", false), ("a sibling host", true)] {
            let before = requests("POST", path).count
            try await visit(page, as: "forgery.html", sibling: isSibling)
            try await wait("the form to arrive") { requests("POST", path).count > before }
            try await openBank()
            try await pause(0.3)
            let shown = try await shownAccount()
            let status = requests("POST", path)[before].status
            evidence.append("the form from \(place) was answered \(status), then the page shows \(whose(shown))")
            if hasWorked(shown) { return .of(true, evidence) }
        }
        return .of(false, evidence)
    }

    /// Sets the cookies of the attacker's session for the whole domain, from a page on a sibling host.
    func tossCookies() async throws {
        let own = try await session(of: thief)
        let html = try LabFile.text("attacks/cookie-tossing/page.html")
        try await visit(html.replacing("{{PLANTED}}", with: own.asScriptString), as: "toss.html", sibling: true)
    }

    /// Looks whose account the page shows now and after a renewal, which sends the tossed cookies too.
    func watchForSwitchedAccount() async throws -> Outcome {
        let first = try await shownAccount()
        try await pause(Target.accessTokenLife + 0.7)
        let then = try await shownAccount()
        guard requests("GET", "/api/account").contains(where: { $0.cookie?.contains("tossed=1") == true }) else {
            throw LabError("the bank received no cookie of the sibling host")
        }
        return .of(
            first == thief.email || then == thief.email,
            [
                "the bank received the sibling host's cookies", "the page shows \(whose(first))",
                "after a renewal it shows \(whose(then))",
            ])
    }

    /// Installs the app's own service worker that passes every request on. The storage choice `serviceWorker` has one
    /// already.
    func installOfflineWorker() async throws {
        guard target.storage != .serviceWorker else { return }
        target.pages[host].hasOfflineWorker = true
        try await openBank()
        try await wait("the app's worker") {
            try await browser.run("return navigator.serviceWorker.controller ? 'yes' : 'no'") == "yes"
        }
    }

    /// Opens the app's WebSocket in its own page, to show that it works, and then in a page elsewhere.
    func openSocketFromElsewhere(sibling: Bool) async throws -> Outcome {
        try await logIn()
        try await browser.click("#live")
        try await wait("the socket's message") { try await !news().isEmpty }
        let isOurs = try await news() == victim.secret
        // A service worker cannot add a token to a WebSocket handshake, so its app has no WebSocket that works.
        guard isOurs || target.storage == .serviceWorker else { throw LabError("the app's own socket does not work") }
        let page = try LabFile.text("attacks/websocket-hijacking/page.html")
        try await visit(page, as: "socket.html", sibling: sibling)
        try await wait("the socket to close") { hasLost("closed") }
        guard let handshake = requests("GET", "/api/live").last(where: { $0.origin != origin }) else {
            throw LabError("no handshake from elsewhere has arrived")
        }
        let hasRead = hasLost(victim.secret)
        return .of(
            hasRead,
            [
                "the handshake had \(handshake.cookie == nil ? "no cookie" : "the cookie") and was answered \(handshake.status)",
                hasRead ? "the secret reached the attacker" : "nothing reached the attacker",
            ])
    }

    private func news() async throws -> String {
        try await browser.run("return document.getElementById('news').value").stringValue ?? ""
    }
}
