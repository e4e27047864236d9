extension Attack {
    static let stayAndTake = Attack(
        name: "stay-and-take", title: "Be there first and take every token", family: .script,
        page: PackageResources.stay_and_take_md
    ) { scene in
        scene.inject(PackageResources.stay_and_take_js)
        try await scene.logIn()
        return try await scene.overhear()
    }
}
