public import CloakroomCore

extension SecurityEvent {
    /// Fields that only some kinds of events have. A store saves them as one document.
    public struct Details: Hashable, Sendable, Codable {
        /// Why a session was ended.
        public var reason: RevocationReason?
        /// The session's generation after a renewal.
        public var generation: Int?
        /// The rate limit that refused the request.
        public var payer: Payer?
        /// The number of events of one minute that this one represents.
        public var count: Int?
        /// The epoch of a store that was restored.
        public var epoch: Int64?
        /// The service credential of the backend that caused the event.
        public var credential: CredentialID?
        /// The call of the service API, by its `operationId`.
        public var operation: String?
        /// The host that got a session of its own, or asked for one.
        public var host: String?
        /// The session at the login host from which a session was handed over.
        public var parent: SessionID?
        /// Why the code of a hand-over was refused.
        package var refusal: HandOver.Refusal?
        /// The names of fields in the document that this version cannot read: a newer one wrote them.
        public private(set) var unknown: [String] = []

        /// The kind of rate limit that refused a request.
        public struct Payer: RawRepresentable, Hashable, Sendable, Codable {
            /// The name in logs and in the record.
            public let rawValue: String

            /// Takes a name as `rawValue` returns it.
            public init(rawValue: String) {
                self.rawValue = rawValue
            }

            /// The limit of one account.
            public static let account = Self(rawValue: "account")
            /// The limit of one network.
            public static let network = Self(rawValue: "network")
            /// The shared limit of all accounts and networks beyond the number that the limiter distinguishes.
            public static let others = Self(rawValue: "others")
        }

        private enum CodingKeys: CodingKey {
            case reason, generation, payer, count, epoch, credential, operation, host, parent, refusal
        }

        /// Without fields.
        public init() {}

        package init(
            reason: RevocationReason? = nil, generation: Int? = nil, payer: Payer? = nil, count: Int? = nil,
            epoch: Int64? = nil, credential: CredentialID? = nil, operation: String? = nil, host: String? = nil,
            parent: SessionID? = nil, refusal: HandOver.Refusal? = nil
        ) {
            self.reason = reason
            self.generation = generation
            self.payer = payer
            self.count = count
            self.epoch = epoch
            self.credential = credential
            self.operation = operation
            self.host = host
            self.parent = parent
            self.refusal = refusal
        }

        /// Reads a document. Fields that this version cannot read are named in `unknown`: the record must stay readable
        /// after an update was undone.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            var unread = Set(try decoder.container(keyedBy: FieldName.self).allKeys.map(\.stringValue))
            func read<Value: Decodable>(_ key: CodingKeys) -> Value? {
                guard let value = try? fields.decode(Value.self, forKey: key) else { return nil }
                unread.remove(key.stringValue)
                return value
            }
            self.init(
                reason: read(.reason), generation: read(.generation), payer: read(.payer), count: read(.count),
                epoch: read(.epoch), credential: read(.credential), operation: read(.operation), host: read(.host),
                parent: read(.parent), refusal: read(.refusal))
            unknown = unread.sorted()
        }

        /// For stores: stands for a document that is not even an object of fields.
        public static let unreadable: Self = {
            var details = Self()
            details.unknown = ["details"]
            return details
        }()

        /// A value of a detail.
        package enum Value: Hashable, Sendable, CustomStringConvertible {
            case text(String)
            case number(Int64)

            package var description: String {
                switch self {
                case .text(let text): text
                case .number(let number): "\(number)"
                }
            }
        }

        /// The fields that are set, by their names in logs.
        package var named: [(name: String, value: Value)] {
            let all: [(String, Value?)] = [
                ("reason", (reason?.rawValue).map(Value.text)), ("generation", generation.map { .number(Int64($0)) }),
                ("payer", (payer?.rawValue).map(Value.text)), ("count", count.map { .number(Int64($0)) }),
                ("epoch", epoch.map(Value.number)), ("credential", (credential?.rawValue).map(Value.text)),
                ("operation", operation.map(Value.text)), ("host", host.map(Value.text)),
                ("parent", (parent?.rawValue).map(Value.text)), ("refusal", (refusal?.rawValue).map(Value.text)),
                ("unknown", unknown.isEmpty ? nil : .text(unknown.joined(separator: ","))),
            ]
            return all.compactMap { name, value in value.map { (name, $0) } }
        }
    }
}

/// Any name of a field.
private struct FieldName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}
