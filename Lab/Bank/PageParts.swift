import Synchronization

/// What an attack adds to the bank's pages on a host.
struct PageParts: Sendable {
    /// The URL of an attacker's script that runs before the app's, as a compromised dependency does.
    var injected: String?
    /// Whether the app has a service worker that passes every request on, as apps that work offline do.
    var hasOfflineWorker = false
    /// Whether the page's Content Security Policy has `connect-src 'self'`.
    var connectsOnlyHome = false
    /// The URL of an image on another host that the statement shows, such as an advertisement.
    var picture: String?
}

/// The parts of each host's pages.
final class PagesByHost: Sendable {
    private let parts = Mutex<[String: PageParts]>([:])

    subscript(host: String) -> PageParts {
        get { parts.withLock { $0[host] ?? PageParts() } }
        set { parts.withLock { $0[host] = newValue } }
    }
}
