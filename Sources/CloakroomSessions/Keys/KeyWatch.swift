import CloakroomCore
package import CloakroomTokens
package import Logging

/// Takes over keys that another process (the command line, another instance) has changed.
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

    /// Asks the source until the task is cancelled.
    package func run() async {
        var state = State()
        repeat { await look(&state) } while (try? await Task.sleep(for: Self.period)) != nil
    }

    /// What a watch remembers between two looks.
    struct State {
        var revision: KeyRevision?
        /// Said once, not every second.
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
        // The first look finds what the server was started with, unless they were changed in between.
        guard newer.summary != keys.current.summary else { return }
        keys.replace(with: newer)
        verifier.replaceKeys(with: newer.verifierKeys)
        logger.notice("the keys were read again")
    }

    /// The keys in memory go on.
    private func complain(_ problem: String, _ state: inout State) {
        guard state.complaint != problem else { return }
        state.complaint = problem
        logger.error("the keys could not be read again", metadata: ["error": "\(problem)"])
    }
}

extension IssuerKeys {
    /// What tells two sets of keys apart. An id of a signing key is a digest of the key.
    fileprivate var summary: [String] {
        signing.map { "\($0.key.id) \($0.signsFrom.milliseconds)" } + refresh.map(\.key.id) + ["removed"] + removed
    }
}
