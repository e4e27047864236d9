extension Attack {
    static let replayAfterRenewal = Attack(
        name: "replay-after-renewal", title: "Replay of stolen tokens after a renewal", family: .theft
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("the disk holds no token") }
        let copiedAt = ContinuousClock.now
        try await scene.pause(2 * Target.accessTokenLife + 2.5)
        let renewals = scene.renewals(since: copiedAt)
        guard renewals > 0 else { throw LabError("the victim's page has not renewed its tokens") }
        let gotIn = try await thief.readsSecret()
        let refusal = thief.refusal.map { " (\($0))" } ?? ""
        return .of(
            gotIn,
            [
                "the victim's page renewed its tokens after the copy was made",
                gotIn ? "the copy opened the account" : "the copy opened no account\(refusal)",
            ])
    }
}

extension Scene {
    /// How often the victim's page has received new tokens.
    fileprivate func renewals(since start: ContinuousClock.Instant) -> Int {
        target.log.of(host: host).count { request in
            let isRenewal = request.setsCookie || request.method == "POST" && request.path == "/refresh"
            return isRenewal && request.status == 200 && !request.isFromThief && request.time > start
        }
    }
}
