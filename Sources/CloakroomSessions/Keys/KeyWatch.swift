import CloakroomCore
package import CloakroomTokens
package import Logging

/// Loads keys that another process (the command line, another instance) has changed, into the issuer and the
/// verifier.
package struct KeyWatch: Sendable {
    private let source: any KeySource
    private let keys: LiveKeys<IssuerKeys>
    private let verifier: TokenVerifier
    private let logger: Logger
    static let period = Duration.seconds(1)

    package init(_ source: any KeySource, keys: LiveKeys<IssuerKeys>, verifier: TokenVerifier, logger: Logger) {
        self.source = source
        self.keys = keys
        self.verifier = verifier
        self.logger = logger
    }

    /// Polls the source every second until the task is cancelled.
    package func run() async {
        var state = State()
        repeat { await look(&state) } while (try? await Task.sleep(for: Self.period)) != nil
    }

    /// The state that a watch keeps between two polls.
    struct State {
        var revision: KeyRevision?
        /// The last error that was logged. A repeated error is not logged again every second.
        var complaint: String?
    }

    func look(_ state: inout State) async {
        do {
            switch try await source.read(since: state.revision) {
            case .unchanged: break
            case .absent: complain("there are none any more", &state)
            case .read(let newer, let revision):
                take(newer)
                state = State(revision: revision)
            }
        } catch {
            complain("\(error)", &state)
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
    private func complain(_ problem: String, _ state: inout State) {
        guard state.complaint != problem else { return }
        state.complaint = problem
        logger.error("the keys could not be read again", metadata: ["error": "\(problem)"])
    }
}

extension IssuerKeys {
    /// Identifies a set of keys. The id of a signing key is a digest of the key.
    fileprivate var summary: [String] {
        signing.map { "\($0.key.id) \($0.signsFrom.milliseconds)" } + refresh.map(\.key.id) + ["removed"] + removed
    }
}
