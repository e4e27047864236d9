import CloakroomTokens

extension Attack {
    static let jarAtOnce = Attack(
        name: "jar-at-once", title: "Copy the profile and use it at once", family: .theft,
        page: PackageResources.jar_at_once_md
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("nothing is on the disk") }
        guard try await thief.readsSecret() else { return .of(false, ["the copy opened nothing"]) }
        let beganAt = ContinuousClock.now
        // Where nothing watches for it, a few renewals show that. Where something does, it is given the time that it needs:
        // victim and thief are told apart at a renewal only if the first to renew asks again before the other does.
        let lives = scene.target.storage.isOurs ? 10.0 : 2.0
        // Both go on: the victim's page asks twice a second, and the thief is at work.
        while ContinuousClock.now < beganAt + .seconds(lives * Target.accessTokenLife) {
            try await scene.pause(.random(in: 0.05...0.15))
            if try await !thief.readsSecret() {
                let refusal = thief.refusal ?? "nothing said why"
                guard ["session_revoked", "refresh_token_reused"].contains(refusal) else {
                    throw LabError("the copy was refused, but not found out: \(refusal)")
                }
                let seconds = beganAt.duration(to: .now).inSeconds
                return Outcome(
                    verdict: .foundOut(after: seconds),
                    evidence: ["the copy worked, and was shut out after \(seconds) s (\(refusal))"])
            }
        }
        // A thief who is alone with the session is another attack.
        let asked = scene.requests("GET", "/api/account").count { $0.time > beganAt && !$0.isFromThief }
        guard asked > Int(lives) else { throw LabError("the victim's page asked only \(asked) times") }
        return .of(true, ["the copy still opened the account after \(Int(lives)) lives of an access token"])
    }
}
