package import CloakroomTokens
package import Logging

/// Takes over keys that another process (the command line) has changed.
package struct KeyWatch: Sendable {
    private let files: KeyFiles
    private let keys: LiveKeys<IssuerKeys>
    private let verifier: TokenVerifier
    private let logger: Logger
    static let period = Duration.seconds(1)

    package init(_ files: KeyFiles, keys: LiveKeys<IssuerKeys>, verifier: TokenVerifier, logger: Logger) {
        self.files = files
        self.keys = keys
        self.verifier = verifier
        self.logger = logger
    }

    /// Looks at the files until the task is cancelled.
    package func run() async {
        var known = files.fingerprint
        while (try? await Task.sleep(for: Self.period)) != nil {
            let current = files.fingerprint
            guard current != known else { continue }
            do {
                guard let newer = try files.read() else { continue }
                keys.replace(with: newer)
                verifier.replaceKeys(with: newer.verifierKeys)
                known = current
                logger.notice("the keys were read again")
            } catch {
                logger.error("the keys could not be read again", metadata: ["error": "\(error)"])
            }
        }
    }
}
