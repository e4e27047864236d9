import CloakroomCore
package import CloakroomTokens
package import Logging

/// Loads keys that another process (the command line, another instance) has changed, into the issuer and the
/// verifier.
package actor KeyWatch {
    private let source: any KeySource
    private let keys: LiveKeys<IssuerKeys>
    private let verifier: TokenVerifier
    private let logger: Logger
    static let period = Duration.seconds(1)
    /// The shortest time between the beginnings of two reads. Requests with forged tokens, which name unknown keys, cause
    /// no more reads than this.
    static let spacing = Duration.milliseconds(100)
    /// How long a failed read answers callers, so that not every request waits for a failing store.
    private let failureHolds: Duration

    private var revision: KeyRevision?
    /// The last error that was logged. A repeated error is not logged again every second.
    private var complaint: String?
    /// The read that has not begun. A caller needs one that begins after it came: an earlier one may have missed a key.
    private var waiting: Task<Void, any Error>?
    private var reading: Task<Void, any Error>?
    private var began: SuspendingClock.Instant?
    private var failure: (error: any Error, until: SuspendingClock.Instant)?

    package init(
        _ source: any KeySource, keys: LiveKeys<IssuerKeys>, verifier: TokenVerifier, logger: Logger,
        failureHolds: Duration = .milliseconds(500)
    ) {
        self.source = source
        self.keys = keys
        self.verifier = verifier
        self.logger = logger
        self.failureHolds = failureHolds
    }

    /// Polls the source every second until the task is cancelled.
    package func run() async {
        repeat { await poll() } while (try? await Task.sleep(for: Self.period)) != nil
    }

    /// One poll of `run`.
    func poll() async {
        try? await next().value
    }

    /// Reads the keys once more, for a token that names an unknown key. All callers that come before the read begins share
    /// it.
    /// - Throws: the error of the source. Whether the key exists is then not known.
    package func catchUp() async throws {
        if let failure, .now < failure.until { throw failure.error }
        try await next().value
    }

    /// The next read is a task of its own: cancelling one caller does not fail the others.
    private func next() -> Task<Void, any Error> {
        if let waiting { return waiting }
        let task = Task { [reading] in
            _ = await reading?.result
            if let began { try? await Task.sleep(for: Self.spacing - began.duration(to: .now)) }
            begin()
            try await read()
        }
        waiting = task
        return task
    }

    private func begin() {
        (reading, waiting, began) = (waiting, nil, .now)
    }

    private func read() async throws {
        do {
            switch try await source.read(since: revision) {
            case .unchanged: complaint = nil
            case .absent: complain("there are none any more")
            case .read(let newer, let revision):
                take(newer)
                (self.revision, complaint) = (revision, nil)
            }
            failure = nil
        } catch {
            complain("\(error)")
            failure = (error, .now + failureHolds)
            throw error
        }
    }

    private func take(_ newer: IssuerKeys) {
        // The first poll returns the keys that the server started with, unless they changed in between.
        guard newer.summary != keys.current.summary else { return }
        keys.replace(with: newer)
        verifier.replaceKeys(with: newer.verifierKeys)
        logger.notice("the keys were read again")
    }

    /// Logs an error once. The server continues with the keys in memory.
    private func complain(_ problem: String) {
        guard complaint != problem else { return }
        complaint = problem
        logger.error("the keys could not be read again", metadata: ["error": "\(problem)"])
    }
}

extension IssuerKeys {
    /// Identifies a set of keys. The id of a signing key is a digest of the key.
    fileprivate var summary: [String] {
        signing.map { "\($0.key.id) \($0.signsFrom.milliseconds)" }
            + refresh.map { "\($0.key.id) \($0.signsFrom.milliseconds)" } + ["removed"] + removed
    }
}
