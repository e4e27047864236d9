/// An attack: what the attacker does, and how the servers' records show whether it worked.
struct Attack: Sendable {
    /// The name of its folder.
    let name: String
    /// The name that the report uses.
    let title: String
    let family: Family
    /// Plays the attack and judges it.
    /// - Throws: `LabError` when the attack did not run; the cell then has no verdict.
    let play: @Sendable (Scene) async throws -> Outcome

    /// What it is, who can do it and where it is described, in Markdown.
    var text: String {
        get throws { try LabFile.text("attacks/\(name)/attack.md") }
    }

    enum Family: String, CaseIterable, Sendable {
        case script = "Script in the page (XSS)"
        case elsewhere = "Another site or a sibling host (CSRF, cookie tossing)"
        case theft = "Stolen tokens (replay)"
    }

    /// Every attack, in the order of the report.
    static let all: [Attack] = [
        tokenTheft, persistentTokenTheft, lateTokenTheft, newTokens, forwardAuthTheft, sessionRiding,
        sensitiveSessionRiding, passwordTheft, xssSessionFixation, forcedLogin, maliciousServiceWorker,
        csrf, siblingCSRF, workerCSRF, workerSiblingCSRF, webSocketHijacking, siblingWebSocketHijacking,
        loginCSRF, logoutCSRF, cookieTossing, sessionFixation,
        replay, replayAfterRenewal, replayVictimAway, replayAfterLogout, tokenInURL,
    ]
}
