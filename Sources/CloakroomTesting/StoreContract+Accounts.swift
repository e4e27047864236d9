import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let accountChecks = [
        check("an account is found by its address and by its id, unchanged") { store in
            let ann = try account("ann")
            try await fill(store, accounts: ["bob", "ann"])
            try demand(try await store.account(ann.email) == ann, "by address")
            try demand(try await store.account(ann.subject) == ann, "by id")
            try demand(
                try await store.accounts().map(\.email.rawValue) == ["ann@example.com", "bob@example.com"], "the list")
            try demand(try await store.account(Subject("none")) == nil, "an unknown account was found")
        },
        check("an account is known in the sixteen networks where its sessions began, also after these end") {
            store in
            try await fill(store, accounts: ["ann", "bob"])
            for index in 0..<20 {
                let one = session("s\(index)", at: now + .seconds(Int64(index)), from: "192.0.2.\(index)")
                try await begin(one, in: store)
            }
            try await begin(session("again", at: now + .minutes(1), from: "192.0.2.4"), in: store)
            _ = try await revoke(.all, in: store)
            let ann = try account("ann").email
            for index in 0..<20 {
                let found = try await store.account(ann, from: NetworkAddress(of: "192.0.2.\(index)"))
                let expected: NetworkFamiliarity = index >= 4 ? .own : .none
                try demand(found.account?.email == ann && found.network == expected, "\(index): \(found)")
            }
            let bob = try await store.account(try account("bob").email, from: NetworkAddress(of: "192.0.2.19"))
            try demand(bob.account != nil && bob.network == .others, "known in the network of another account")
            let none = try await store.account(try account("none").email, from: NetworkAddress(of: "192.0.2.19"))
            try demand(none.account == nil && none.network == .others, "an unknown account was found")
        },
        check("an address belongs to one account") { store in
            try await fill(store)
            let twin = Account(
                subject: Subject("u_twin"), email: try account("ann").email, passwordHash: PasswordHash(phc: "other"),
                createdAt: now)
            try demand(try await store.add(twin, recording: []) == nil, "taken twice")
            try demand(try await store.account(Subject("u_twin")) == nil, "it was saved")
        },
        check("a newer hash replaces only the hash that it was made from") { store in
            try await fill(store)
            let ann = try account("ann")
            let new = PasswordHash(phc: "new")
            try await store.rehash(ann.subject, from: PasswordHash(phc: "else"), to: new)
            try demand(try await store.account(ann.subject) == ann, "replaced another hash")
            try await store.rehash(ann.subject, from: ann.passwordHash, to: new)
            let rehashed = try await store.account(ann.subject)
            try demand(rehashed?.passwordHash == new && rehashed?.credentialVersion == 0, "not replaced")
        },
    ]
}
