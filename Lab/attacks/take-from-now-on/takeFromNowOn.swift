extension Attack {
    static let takeFromNowOn = Attack(
        name: "take-from-now-on", title: "Come later and take every new token", family: .script,
        page: PackageResources.take_from_now_on_md
    ) { scene in
        try await scene.logIn()
        try await scene.injectNow(PackageResources.stay_and_take_js)
        return try await scene.overhear()
    }
}
