/// A way to authenticate, by its value of the claim `amr` (RFC 8176). Its prover is in CloakroomAccounts.
package enum Factor: String, Hashable, Sendable, Codable, CaseIterable {
    case password = "pwd"

    /// The properties that decide which level a set of factors reaches.
    package struct Traits: Hashable, Sendable {
        /// Factors of one kind fall to one attack: two passwords are no better than one.
        package struct Kinds: OptionSet, Hashable, Sendable {
            package let rawValue: UInt8

            package init(rawValue: UInt8) {
                self.rawValue = rawValue
            }

            package static let knowledge = Self(rawValue: 1)
            package static let possession = Self(rawValue: 2)
            package static let inherence = Self(rawValue: 4)

            var count: Int { rawValue.nonzeroBitCount }
        }

        /// A passkey with user verification is of two kinds.
        package var kinds: Kinds
        /// Whether no other site can be handed it.
        package var resistsPhishing: Bool

        package init(kinds: Kinds, resistsPhishing: Bool) {
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
