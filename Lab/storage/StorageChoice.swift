/// Where an app keeps its tokens. The folders here have the scripts that do it, as tutorials show them; what differs
/// between HttpOnly cookies is the server's alone. Those of our own stand last; sessions that are bound to a device's key
/// will be the next of them.
package enum StorageChoice: String, CaseIterable, Sendable {
    case localStorage = "local-storage"
    case sessionStorage = "session-storage"
    case memory
    case serviceWorker = "service-worker"
    case readableCookie = "readable-cookie"
    case hybrid
    case cookieHurried = "cookie-hurried"
    case cookieFetchMetadata = "cookie-fetch-metadata"
    case cookieLax = "cookie-lax"
    case cookiePublicCheck = "cookie-public-check"
    case cloakroom
    case cloakroomStepUp = "cloakroom-step-up"

    /// The row's title.
    var title: String {
        switch self {
        case .localStorage: "localStorage"
        case .sessionStorage: "sessionStorage"
        case .memory: "variable in memory"
        case .serviceWorker: "service worker"
        case .readableCookie: "cookie that script reads"
        case .hybrid: "hybrid: refresh token HttpOnly, access token in memory"
        case .cookieHurried: "HttpOnly cookie, SameSite=None, no origin check"
        case .cookieFetchMetadata: "HttpOnly cookie, SameSite=None, Sec-Fetch-Site checked"
        case .cookieLax: "HttpOnly cookie, SameSite=Lax, Domain set"
        case .cookiePublicCheck: "HttpOnly cookie, SameSite=Lax, forward-auth at a path that pages reach"
        case .cloakroom: "one HttpOnly cookie with the prefix __Host-Http-, origin checked (Cloakroom)"
        case .cloakroomStepUp: "the same, with step-up by password (Cloakroom)"
        }
    }

    /// What the page's `/client.js` is.
    var client: [UInt8] {
        switch self {
        case .localStorage: PackageResources.local_storage_js
        case .sessionStorage: PackageResources.session_storage_js
        case .memory: PackageResources.memory_js
        case .serviceWorker: PackageResources.service_worker_js
        case .readableCookie: PackageResources.readable_cookie_js
        case .hybrid: PackageResources.hybrid_js
        case .cookieHurried, .cookieFetchMetadata, .cookieLax, .cookiePublicCheck: PackageResources.http_only_js
        case .cloakroom, .cloakroomStepUp: PackageResources.cloakroom_bank_js
        }
    }

    /// How a tutorial's server hands the tokens over; nil where Cloakroom does.
    var delivery: TutorialDelivery? {
        switch self {
        case .localStorage, .sessionStorage, .memory, .serviceWorker, .readableCookie: .body
        case .hybrid: .refreshCookie
        case .cookieHurried, .cookieFetchMetadata: .cookies(sameSite: "None", hasDomain: false)
        case .cookieLax: .cookies(sameSite: "Lax", hasDomain: true)
        case .cookiePublicCheck: .cookies(sameSite: "Lax", hasDomain: false)
        case .cloakroom, .cloakroomStepUp: nil
        }
    }

    /// What a copy of the browser's profile on disk holds.
    var atRest: AtRest {
        switch self {
        case .localStorage: .script("return localStorage.getItem('tokens')")
        case .sessionStorage: .script("return sessionStorage.getItem('tokens')")
        case .memory, .serviceWorker: .nothing
        case .readableCookie, .hybrid, .cookieHurried, .cookieFetchMetadata, .cookieLax, .cookiePublicCheck, .cloakroom,
            .cloakroomStepUp:
            .cookies
        }
    }

    enum AtRest: Sendable {
        case nothing, cookies
        /// Reads what is on the disk too, in place of a copy of the disk.
        case script(String)
    }

    /// Whether the server refuses what browsers call cross-site, and believes them everything else.
    var checksFetchMetadata: Bool { self == .cookieFetchMetadata }

    /// Whether its check for proxies is a path of the origin that pages are on, as OAuth2 Proxy's is.
    var hasPublicCheck: Bool { self == .cookiePublicCheck }

    /// Whether there is a check for proxies at all.
    var answersProxies: Bool { isOurs || hasPublicCheck }

    /// Whether it is what this project ships: its verdicts must be as expected.
    package var isOurs: Bool { delivery == nil }
}

/// How a server in a tutorial hands out its tokens.
enum TutorialDelivery: Sendable {
    /// Both in the answer's body.
    case body
    /// The refresh token in an HttpOnly cookie, the access token in the body.
    case refreshCookie
    /// Both in HttpOnly cookies.
    case cookies(sameSite: String, hasDomain: Bool)
}
