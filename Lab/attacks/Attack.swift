/// An attack: what somebody does, and how the books tell whether it worked.
package struct Attack: Sendable {
    /// Its folder.
    package let name: String
    package let title: String
    package let family: Family
    /// What it is, who does it and who has written about it, in Markdown.
    let page: [UInt8]
    /// - Throws: `LabError` when the attack did not run: then there is no verdict.
    let play: @Sendable (Scene) async throws -> Outcome

    var text: String { String(decoding: page, as: UTF8.self) }

    package enum Family: String, CaseIterable, Sendable {
        case script = "Script in the page"
        case elsewhere = "From another site"
        case theft = "Stolen from the machine"
    }

    /// Every attack, in the order of the report.
    package static let all: [Attack] = [
        readAndSend, stayAndTake, takeFromNowOn, freshTokens, proxyEndpoints, rideSession, rideSensitive,
        overhearPassword, plantSession, loginFromWithin, attackersWorker,
        crossSiteRequest, siblingRequest, launderedRequest, launderedSiblingRequest, webSocket, siblingWebSocket,
        loginForgery, logoutForgery, cookieTossing, sessionFixation,
        jarAtOnce, jarAfterRenewal, jarSilentVictim, jarAfterLogout, addresses,
    ]
}
