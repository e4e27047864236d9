extension Attack {
    static let replay = Attack(
        name: "replay", title: "Replay of stolen tokens, at once", family: .theft
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("the disk holds no token") }
        guard try await thief.readsSecret() else { return .of(false, ["the copy opened no account"]) }
        let beganAt = ContinuousClock.now
        // Rotation detects the copy at a renewal, if the first client to renew sends its next request before the other
        // renews. That needs a few renewals; servers without rotation need only enough to show that nothing happens.
        let lives = scene.target.storage.isOurs ? 10.0 : 2.0
        // Both clients stay active: the victim's page sends a request about twice a second, the thief several.
        while ContinuousClock.now < beganAt + .seconds(lives * Target.accessTokenLife) {
            try await scene.pause(.random(in: 0.05...0.15))
            if try await !thief.readsSecret() {
                let refusal = thief.refusal ?? "no code"
                guard ["session_revoked", "refresh_token_reused"].contains(refusal) else {
                    throw LabError("the copy was refused, but not for reuse: \(refusal)")
                }
                let seconds = beganAt.duration(to: .now).inSeconds
                return Outcome(
                    verdict: .detected(after: seconds),
                    evidence: ["the copy opened the account; the session was revoked after \(seconds) s (\(refusal))"])
            }
        }
        // If the victim was not active, this was the attack `replayVictimAway`.
        let asked = scene.requests("GET", "/api/account").count { $0.time > beganAt && !$0.isFromThief }
        guard asked > Int(lives) else { throw LabError("the victim's page sent only \(asked) requests") }
        return .of(true, ["the copy still opened the account after \(Int(lives)) lifetimes of an access token"])
    }
}
