import AsyncHTTPClient
import CloakroomCore
import CloakroomTokens
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Fetches the key set of the issuer: at the start, in intervals, and when a token names an unknown key. The last good
/// set stays while the issuer is away.
actor KeySetFeed {
    private let address: ServiceAddress
    private let verifier: TokenVerifier
    private let timing: Timing
    private let logger: Logger
    private nonisolated let isReady = Atomic<Bool>(false)
    /// nil while `run` does not run.
    private var client: HTTPClient?
    /// The fetch that is in progress. All callers that arrive meanwhile wait for it.
    private var fetching: Task<Void, Never>?
    /// When the last fetch began, on the monotonic clock.
    private var beganAt: Duration?
    /// The bytes of the current set.
    private var document: [UInt8]?
    /// Whether the last fetch failed. The log says so once.
    private var isFailing = false
    /// A key set has a few keys of at most 1 kB.
    private static let maximumSize = 65536

    init(address: ServiceAddress, verifier: TokenVerifier, timing: Timing, logger: Logger) {
        self.address = address
        self.verifier = verifier
        self.timing = timing
        self.logger = logger
    }

    /// Whether a key set was fetched.
    nonisolated var hasKeys: Bool { isReady.load(ordering: .acquiring) }

    /// Fetches the set at once and then in intervals, until the task is cancelled.
    func run(_ client: HTTPClient) async {
        self.client = client
        while !Task.isCancelled {
            await fetch()
            try? await Task.sleep(for: isFailing ? timing.retry : timing.refresh)
        }
        self.client = nil
        await fetching?.value
    }

    /// Fetches the set for a token with an unknown key, or waits for a fetch that is in progress. Returns at once if the
    /// last fetch began less than the cooldown ago.
    func lookUp() async {
        if fetching == nil, let beganAt, timing.uptime() < beganAt + timing.cooldown { return }
        await fetch()
    }

    private func fetch() async {
        guard let client else { return }
        let task = fetching ?? Task { await fetchOnce(client) }
        fetching = task
        await task.value
    }

    private func fetchOnce(_ client: HTTPClient) async {
        beganAt = timing.uptime()
        defer { fetching = nil }
        do {
            try adopt(try await read(client))
            if isFailing { logger.notice("the key set of the issuer is read again") }
            isFailing = false
        } catch {
            if !isFailing {
                logger.error(
                    "the key set of the issuer cannot be used",
                    metadata: ["address": "\(address.url)", "error": "\(error)"])
            }
            isFailing = true
        }
    }

    private func read(_ client: HTTPClient) async throws -> [UInt8] {
        let request = HTTPClientRequest(url: address.url)
        return try await within(timing.timeout) { [timing] in
            let response = try await client.execute(request, timeout: TimeAmount(timing.timeout))
            guard response.status == .ok else { throw IssuerFailure("the status is \(response.status.code)") }
            return Array(buffer: try await response.body.collect(upTo: Self.maximumSize))
        }
    }

    /// Replaces the keys. An unchanged document changes nothing, so that verified tokens stay in the cache.
    private func adopt(_ bytes: [UInt8]) throws {
        guard bytes != document else { return }
        do {
            verifier.replaceKeys(with: try VerifierKeys(published: try KeySet(parsing: bytes)))
        } catch {
            throw IssuerFailure("the key set was refused: \(error.reason)")
        }
        document = bytes
        isReady.store(true, ordering: .releasing)
    }
}
