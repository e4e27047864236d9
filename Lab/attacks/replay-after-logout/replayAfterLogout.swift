extension Attack {
    static let replayAfterLogout = Attack(
        name: "replay-after-logout", title: "Replay of stolen tokens after logout", family: .theft
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("the disk holds no token") }
        guard try await thief.readsSecret() else { throw LabError("the copy did not work before the logout") }
        try await scene.logOut()
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "before the logout the copy opened the account",
                gotIn ? "after the logout it still opened the account" : "after the logout it opened no account",
            ])
    }
}
