extension Attack {
    static let jarAfterRenewal = Attack(
        name: "jar-after-renewal", title: "Copy the profile and use it after the victim's next renewals",
        family: .theft,
        page: PackageResources.jar_after_renewal_md
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("nothing is on the disk") }
        let copiedAt = ContinuousClock.now
        try await scene.pause(2 * Target.accessTokenLife + 2.5)
        let renewals = scene.renewals(since: copiedAt)
        guard renewals > 0 else { throw LabError("the victim's page has renewed nothing") }
        let gotIn = try await thief.readsSecret()
        let refusal = thief.refusal.map { " (\($0))" } ?? ""
        return .of(
            gotIn,
            [
                "the victim's page had renewed its tokens since",
                gotIn ? "the old copy opened the account" : "the old copy opened nothing\(refusal)",
            ])
    }
}

extension Scene {
    /// How often the victim's page has been given new tokens.
    fileprivate func renewals(since start: ContinuousClock.Instant) -> Int {
        target.log.of(host: host).count { request in
            let isRenewal = request.setsCookie || request.method == "POST" && request.path == "/refresh"
            return isRenewal && request.status == 200 && !request.isFromThief && request.time > start
        }
    }
}
