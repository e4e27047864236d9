extension Attack {
    static let replayVictimAway = Attack(
        name: "replay-victim-away", title: "Replay of stolen tokens while the victim is away",
        family: .theft
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("the disk holds no token") }
        try await scene.browser.open("about:blank")
        for _ in 0..<2 {
            try await scene.pause(Target.accessTokenLife + 0.5)
            guard try await thief.readsSecret() else { return .of(false, ["the copy was refused"]) }
        }
        return .of(true, ["the copy opened the account for two lifetimes of an access token"])
    }
}
