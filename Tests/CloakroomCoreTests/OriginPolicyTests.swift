import Testing

@testable import CloakroomCore

@Suite struct OriginPolicyTests {
    private static let own = "https://app.example.com"
    private static let trusted = "https://www.example.com"
    private static let policy = OriginPolicy(
        ownOrigin: WebOrigin(parsing: own), trustedOrigins: Set([OriginPattern(parsing: trusted)].compactMap { $0 }))

    private func denial(_ request: OriginPolicy.Request, _ policy: OriginPolicy = policy) -> Denial? {
        do {
            try policy.check(request)
            return nil
        } catch {
            return error
        }
    }

    static let sites: [[String]] = [
        [], ["same-origin"], ["none"], ["same-site"], ["cross-site"], ["banana"], [""], ["Same-Origin"],
        ["same-origin, cross-site"], ["same-origin", "same-origin"],
    ]
    static let origins: [[String]] = [
        [], [own], [trusted], ["null"], ["https://evil.example"], ["https://app.example.com.evil"],
        ["https://app.example.com:8443"], ["http://app.example.com"], ["https://app.example.com/"],
        ["HTTPS://APP.EXAMPLE.COM"], ["https://sub.app.example.com"], [""], [own, own], [own, trusted],
    ]

    /// The expected decision, written independently of the implementation: a change of the rules must change both.
    private static func isAllowed(
        site: [String], origin: [String], cookie: Bool, xsrf: OriginPolicy.XSRFEvidence
    ) -> Bool {
        if xsrf == .wrong { return false }
        if site.count > 1 || origin.count > 1 { return false }
        if let origin = origin.first, origin != own, origin != trusted { return false }
        if site.first == "same-origin" || site.first == "none" { return true }
        if origin.first == trusted { return true }
        if site.isEmpty { return origin.first == own || !cookie || xsrf == .right }
        return false
    }

    @Test("every combination of Sec-Fetch-Site and Origin, with and without our cookie", arguments: sites, origins)
    func combinations(_ site: [String], _ origin: [String]) {
        for (cookie, xsrf) in [(true, .absent), (false, .absent), (true, .right), (true, .wrong), (false, .wrong)]
            as [(Bool, OriginPolicy.XSRFEvidence)]
        {
            for method in ["POST", "PUT", "PATCH", "DELETE", "FOO", "get", "TRACE"] {
                let request = OriginPolicy.Request(
                    method: method, host: "internal", origin: origin, secFetchSite: site, carriesOurCookie: cookie,
                    xsrf: xsrf)
                let isAllowed = Self.isAllowed(site: site, origin: origin, cookie: cookie, xsrf: xsrf)
                #expect(denial(request) == (isAllowed ? nil : .crossSiteRequest))
            }
        }
    }

    @Test(
        "with several hosts, Host says whose origin is our own, and no other of them is",
        arguments: ["login.example.com", "shop.example.com", "SHOP.example.com:443", "app.example.com"],
        ["https://login.example.com", "https://shop.example.com", "https://app.example.com", "https://evil.example"])
    func hosts(_ host: String, _ origin: String) throws {
        let hosts = ["https://shop.example.com", "https://app.example.com"].compactMap { WebOrigin(parsing: $0) }
        let policy = OriginPolicy(ownOrigin: WebOrigin(parsing: "https://login.example.com"), hosts: Set(hosts))
        let own = "https://" + host.lowercased().prefix { $0 != ":" }
        #expect(try policy.origin(forHost: host).description == own)
        for site in [[], ["same-origin"], ["same-site"]] {
            let request = OriginPolicy.Request(
                method: "POST", host: host, origin: [origin], secFetchSite: site, carriesOurCookie: true)
            let isAllowed = origin == own && site != ["same-site"]
            #expect(denial(request, policy) == (isAllowed ? nil : .crossSiteRequest), "\(site)")
        }
        for foreign in ["evil.example", "example.com", "shop.example.com:8443", "x.shop.example.com", ""] {
            let request = OriginPolicy.Request(method: "GET", host: foreign, carriesOurCookie: false)
            #expect(denial(request, policy) == .misdirectedRequest)
            #expect(!policy.isOurs(targetAuthority: foreign))
        }
    }

    @Test(
        "a trusted pattern admits each of its origins, and no other",
        arguments: [
            ("https://pr-7.preview.example.com", nil), ("capacitor://localhost", nil),
            ("https://preview.example.com", .crossSiteRequest), ("https://a.b.preview.example.com", .crossSiteRequest),
            ("https://pr-7.preview.example.com.evil", .crossSiteRequest), ("ionic://localhost", .crossSiteRequest),
        ] as [(String, Denial?)])
    func patterns(_ origin: String, _ expected: Denial?) {
        let patterns = ["https://*.preview.example.com", "capacitor://localhost"].compactMap(
            OriginPattern.init(parsing:))
        let policy = OriginPolicy(ownOrigin: WebOrigin(parsing: Self.own), trustedOrigins: Set(patterns))
        for site in ["same-site", "cross-site"] {
            let request = OriginPolicy.Request(
                method: "POST", host: "internal", origin: [origin], secFetchSite: [site], carriesOurCookie: true)
            #expect(denial(request, policy) == expected)
        }
    }

    @Test(
        "a script may become a service worker only if its path equals one in the setting, byte for byte",
        arguments: [
            (nil, nil), ("/sw.js", nil), ("/app/sw.js", nil), ("/SW.js", .serviceWorkerRefused),
            ("/s%77.js", .serviceWorkerRefused), ("/rates", .serviceWorkerRefused), ("/", .serviceWorkerRefused),
            ("", .serviceWorkerRefused), ("/sw.js/", .serviceWorkerRefused),
        ] as [(String?, Denial?)])
    func serviceWorkers(_ path: String?, _ expected: Denial?) {
        let policy = OriginPolicy(
            ownOrigin: WebOrigin(parsing: Self.own), serviceWorkers: ["/sw.js", "/app/sw.js"])
        for method in ["GET", "HEAD"] {
            let request = OriginPolicy.Request(
                method: method, serviceWorkerPath: path, host: "internal", secFetchSite: ["same-origin"],
                carriesOurCookie: true)
            #expect(denial(request, policy) == expected)
        }
    }

    @Test(
        "a navigation through a service worker passes only if its headers say that it comes from our own pages",
        arguments: [
            (own, nil), ("\(own)/", nil), ("\(own)/a?b", nil), (nil, .crossSiteRequest), ("", .crossSiteRequest),
            ("https://sib.example.com/", .crossSiteRequest), ("\(own).evil/", .crossSiteRequest),
            ("\(own):8443/", .crossSiteRequest), ("http://app.example.com/", .crossSiteRequest),
        ] as [(String?, Denial?)])
    func laundered(_ referer: String?, _ expected: Denial?) {
        var request = OriginPolicy.Request(
            method: "POST", host: "internal", origin: [Self.own], secFetchSite: ["same-origin"], carriesOurCookie: true)
        request.referer = referer
        #expect(denial(request) == nil)
        request.isLaunderedNavigation = true
        #expect(denial(request) == expected)
    }

    @Test(
        "a safe method passes with any Origin and Fetch Metadata, unless it opens a WebSocket",
        arguments: ["GET", "HEAD", "OPTIONS"])
    func safeMethods(_ method: String) {
        var request = OriginPolicy.Request(
            method: method, host: nil, origin: ["https://evil.example"], secFetchSite: ["cross-site"],
            carriesOurCookie: true)
        #expect(denial(request) == nil)
        request.isWebSocketUpgrade = true
        #expect(denial(request) == .crossSiteRequest)
    }

    @Test(
        "without a public URL the Host decides, and must name this machine",
        arguments: [
            ("localhost", "http://localhost"), ("localhost:8080", "http://localhost:8080"),
            ("LOCALHOST", "http://localhost"),
            ("app.localhost:80", "http://app.localhost"), ("127.0.0.1:9", "http://127.0.0.1:9"),
            ("[::1]:8080", "http://[::1]:8080"),
        ])
    func loopback(_ host: String, _ origin: String) throws {
        let policy = OriginPolicy(ownOrigin: nil)
        #expect(try policy.origin(forHost: host).description == origin)
        let request = OriginPolicy.Request(method: "POST", host: host, origin: [origin], carriesOurCookie: true)
        #expect(denial(request, policy) == nil)
        let other = OriginPolicy.Request(
            method: "POST", host: host, origin: ["http://localhost:1"], carriesOurCookie: true)
        #expect(denial(other, policy) == .crossSiteRequest)
    }

    @Test(
        "any other Host is misdirected",
        arguments: [
            nil, "", "evil.example", "localhost.evil.example", "evil-localhost", "localhost.", "127.0.0.2", "127.1",
            "[::2]", "localhost:x", "localhost:99999", "user@localhost", "localhost/", "localhost:8080:1",
        ])
    func misdirected(_ host: String?) {
        let request = OriginPolicy.Request(method: "GET", host: host, carriesOurCookie: false)
        #expect(denial(request, OriginPolicy(ownOrigin: nil)) == .misdirectedRequest)
    }
}
