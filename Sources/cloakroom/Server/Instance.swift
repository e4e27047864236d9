import CloakroomCore
import CloakroomSQLite
import CloakroomService
import CloakroomTokens
import Foundation
import Logging

/// One running Cloakroom: the parts put together from the settings. The only place that picks a store.
struct Instance {
    let settings: Settings
    let environment = Environment.system
    let store: SQLiteStore
    let keyFiles: KeyFiles
    let verifier: TokenVerifier
    let service: SessionService

    init(_ settings: Settings) throws {
        self.settings = settings
        let directory = try DataDirectory(settings.dataDirectory)
        keyFiles = KeyFiles(directory: directory, environment: environment)
        let ring = LiveKeyRing(try keyFiles.open(settings.signingAlgorithm))
        store = try SQLiteStore(path: settings.databasePath)
        verifier = TokenVerifier(
            issuer: settings.issuer, audience: settings.audience, policy: settings.policy, ring: ring,
            revocations: RevocationView(accessTokenLifetime: settings.policy.accessTokenLifetime))
        service = SessionService(
            store: store,
            issuer: TokenIssuer(issuer: settings.issuer, audience: settings.audience, ring: ring),
            verifier: verifier,
            hasher: try PasswordHasher(threads: max(1, ProcessInfo.processInfo.activeProcessorCount - 1)),
            policy: settings.policy, clients: settings.clients, isSignUpOpen: settings.isSignUpOpen,
            failedLoginsPerMinute: settings.failedLoginsPerMinute,
            log: SecurityLog(logger: Logger(label: "cloakroom.security")), environment: environment)
    }
}
