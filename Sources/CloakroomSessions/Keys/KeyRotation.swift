package import CloakroomCore
import CloakroomFiles
package import CloakroomTokens
package import Logging
import Synchronization

/// Adds new keys when the newest ones have signed for an interval.
///
/// No instance leads. Every one asks each second whether a key is due, and all have the same keys and the same clock. In the
/// change, which is atomic, the first adds the key, and the others find that none is due any more. A new signing key is
/// published before it signs, so that instances and verifiers have it by then.
package actor KeyRotation {
    private let source: any KeySource
    private let keys: LiveKeys<IssuerKeys>
    private let interval: Span
    private let environment: Environment
    private let logger: Logger
    private let readKeys: @Sendable () async throws -> Void
    private static let period = Duration.seconds(1)
    /// Until the next try after one that failed. A key is published for much longer.
    private static let patience = Duration.seconds(10)

    /// The last error that was logged. A repeated error is not logged again.
    private var complaint: String?

    /// - Parameters:
    ///   - keys: those that the server uses.
    ///   - readKeys: makes the server read its keys again.
    package init(
        _ source: any KeySource, keys: LiveKeys<IssuerKeys>, every interval: Span, environment: Environment,
        logger: Logger, readKeys: @escaping @Sendable () async throws -> Void
    ) {
        self.source = source
        self.keys = keys
        self.interval = interval
        self.environment = environment
        self.logger = logger
        self.readKeys = readKeys
    }

    /// Rotates whenever a key is due, until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            let succeeded = await rotateIfDue()
            try? await Task.sleep(for: succeeded ? Self.period : Self.patience)
        }
    }

    /// One step of `run`.
    /// - Returns: false if keys are due and could not be added.
    @discardableResult
    func rotateIfDue() async -> Bool {
        let publishes = source.publishesRefreshSecrets
        guard keys.current.areDue(every: interval, publishesRefreshSecrets: publishes, at: environment.now()) else {
            return true
        }
        do {
            if try await rotate() { logger.notice("the keys were due: new ones are published") }
            complaint = nil
            try? await readKeys()
            return true
        } catch {
            complain("\(error)")
            return false
        }
    }

    /// - Returns: whether the stored keys were due.
    private func rotate() async throws -> Bool {
        let wereDue = Mutex(false)
        _ = try await source.update { [interval, environment, source] stored in
            guard let stored else { throw UnusableData(.missing, "there are no keys any more") }
            let (now, publishes) = (environment.now(), source.publishesRefreshSecrets)
            guard stored.areDue(every: interval, publishesRefreshSecrets: publishes, at: now) else { return stored }
            wereDue.withLock { $0 = true }
            return try stored.rotatedWhereDue(
                every: interval, publishesRefreshSecrets: publishes, at: now, random: environment.random)
        }
        return wereDue.withLock { $0 }
    }

    /// Logs an error once. The server goes on with the keys that it has.
    private func complain(_ problem: String) {
        guard complaint != problem else { return }
        complaint = problem
        logger.error("the keys are due, and no new ones could be added", metadata: ["error": "\(problem)"])
    }
}
