extension Attack {
    static let crossSiteRequest = Attack(
        name: "cross-site-request", title: "Have another site send requests (CSRF)", family: .elsewhere,
        page: PackageResources.cross_site_request_md
    ) { try await $0.sendRequestsFromElsewhere(sibling: false) }
}
