/// A way to show who one is, by its value of the claim `amr` (RFC 8176). Its prover stands in CloakroomAccounts.
package enum Factor: String, Hashable, Sendable, Codable, CaseIterable {
    case password = "pwd"

    /// What decides the level that factors reach together.
    package struct Traits: Hashable, Sendable {
        /// Factors of one kind fall to one attack: two passwords are no better than one.
        package enum Kind: Hashable, Sendable {
            case knowledge, possession, inherence
        }

        /// A passkey with user verification is of two kinds.
        package var kinds: Set<Kind>
        /// Whether no other site can be handed it.
        package var resistsPhishing: Bool

        package init(kinds: Set<Kind>, resistsPhishing: Bool) {
            self.kinds = kinds
            self.resistsPhishing = resistsPhishing
        }
    }

    package var traits: Traits {
        switch self {
        case .password: Traits(kinds: [.knowledge], resistsPhishing: false)
        }
    }
}
