import CloakroomCore
package import CloakroomStores

/// Says whether the keys of calls that go on for long are still valid. It asks the store once a second for each key, however
/// many calls use it.
package actor CredentialWatch {
    private let backends: BackendService
    private var looks: [CredentialID: Look] = [:]
    private static let period = Duration.seconds(1)

    private struct Look {
        let credential: ServiceCredential
        let task: Task<Bool, any Error>
        let uptime: Duration
    }

    package init(_ backends: BackendService) {
        self.backends = backends
    }

    /// - Throws: if the store does not answer.
    package func isValid(_ credential: ServiceCredential) async throws -> Bool {
        let uptime = backends.environment.uptime()
        if let look = looks[credential.id], look.credential == credential, uptime < look.uptime + Self.period {
            return try await look.task.value
        }
        looks = looks.filter { uptime < $0.value.uptime + Self.period }
        let look = Look(
            credential: credential, task: Task { try await backends.isValid(credential) }, uptime: uptime)
        looks[credential.id] = look
        return try await look.task.value
    }
}
