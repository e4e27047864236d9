import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let credentialChecks = [
        check("credentials are kept with their rights, listed by age, and found by their id alone") { store in
            let all = [credential("0a", at: now, expires: nil), credential("0b", at: now - .days(1), expires: now)]
            for one in all { try demand(try await store.add(one, recording: []) != nil, "adding \(one.id)") }
            try demand(try await store.credentials() == all.reversed(), "the list")
            for one in all { try demand(try await store.credential(one.id) == one, "\(one)") }
            try demand(try await store.credential(CredentialID("0c")) == nil, "one that is not there")
        },
        check("an id is taken once, and a removed credential is gone") { store in
            let first = credential("0a", at: now, expires: nil)
            try demand(try await store.add(first, recording: []) != nil, "adding")
            let second = credential("0a", at: now + .days(1), expires: nil)
            try demand(try await store.add(second, recording: []) == nil, "added over another")
            try demand(try await store.credential(first.id) == first, "replaced")
            try demand(try await store.remove(CredentialID("0b"), recording: []) == nil, "removed nothing")
            try demand(try await store.remove(first.id, recording: []) != nil, "not removed")
            try demand(try await store.remove(first.id, recording: []) == nil, "removed twice")
            try demand(try await store.credentials().isEmpty, "still there")
        },
    ]

    static func credential(_ id: String, at time: Instant, expires: Instant?) -> ServiceCredential {
        ServiceCredential(
            id: CredentialID(id), digest: Array(0..<32),
            rights: .init(
                scopes: [.createSessions, .readEvents], maximumLevel: .multiFactor,
                subjectPrefix: expires == nil ? nil : "shop:", network: expires == nil ? nil : "10.0.0.0/8"),
            createdAt: time, expiresAt: expires)
    }
}
