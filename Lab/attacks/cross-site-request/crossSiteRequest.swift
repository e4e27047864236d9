extension Attack {
    static let crossSiteRequest = Attack(
        name: "cross-site-request", title: "Have another site send requests (CSRF)", family: .elsewhere,
        page: PackageResources.cross_site_request_md
    ) { try await $0.sendRequestsFromElsewhere(sibling: false) }
}

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
}
