import Synchronization

/// What is in the pages of a host besides the bank's own.
struct PageParts: Sendable {
    /// Script of an attacker that is there from the first moment: a compromised dependency.
    var injected: String?
    /// Whether the app has a worker that passes everything through, as apps that work offline do.
    var hasOfflineWorker = false
    /// Whether the page's policy lets script connect to its own host alone.
    var connectsOnlyHome = false
    /// A picture from elsewhere on the statement: an advertisement, a counter.
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
