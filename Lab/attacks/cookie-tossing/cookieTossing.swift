import CloakroomTokens

extension Attack {
    static let cookieTossing = Attack(
        name: "cookie-tossing", title: "Toss in cookies from a sibling host", family: .elsewhere,
        page: PackageResources.cookie_tossing_md
    ) { scene in
        try await scene.logIn()
        let own = try await scene.thiefsOwnSession()
        let html = String(decoding: PackageResources.cookie_tossing_html, as: UTF8.self)
        let page = Array(html.replacing("{{PLANTED}}", with: own.asScriptString).utf8)
        try await scene.visit(page, as: "toss.html", sibling: true)
        let title = try await scene.browser.run("return document.title").stringValue ?? ""
        guard title == "tossed" || title == "refused" else { throw LabError("the sibling's script did not run") }
        try await scene.openBank()
        let first = try await scene.shownAccount()
        // Past the access token's life, so that the renewal meets the tossed cookies too.
        try await scene.pause(Target.accessTokenLife + 0.7)
        let then = try await scene.shownAccount()
        return .of(
            first == scene.thief.email || then == scene.thief.email,
            [
                title == "tossed"
                    ? "the browser took cookies for the whole domain" : "the browser took none of the cookies",
                "the page is \(first.isEmpty ? "nobody's" : first + "'s")",
                "after a renewal it is \(then.isEmpty ? "nobody's" : then + "'s")",
            ])
    }
}
