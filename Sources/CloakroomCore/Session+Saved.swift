/// A session as a document with all of its fields, for stores outside of this package. A new field of the session
/// changes the document, and no store.
///
/// The document contains the session's secret: it belongs into the store alone. Documents without a field that was
/// added later can still be read if the field is optional.
public struct SavedSession: Sendable, Codable {
    /// The session to save, or the session that was read.
    public let session: Session

    /// Takes the session to save.
    public init(_ session: Session) {
        self.session = session
    }

    private enum CodingKeys: CodingKey {
        case id, subject, secret, createdAt, expiresAt, generation, confirmation, rotatedAt, refreshKey, stragglersFrom,
            handedOutAt, isReissued, lastSeenAt, revocation, details
    }

    /// Reads a document.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys) throws -> Value { try fields.decode(Value.self, forKey: key) }
        session = Session(
            id: SessionID(try read(.id)), subject: Subject(try read(.subject)), secret: Secret(try read(.secret)),
            createdAt: try read(.createdAt), expiresAt: try read(.expiresAt), generation: try read(.generation),
            confirmation: try read(.confirmation), rotatedAt: try read(.rotatedAt), refreshKey: try read(.refreshKey),
            stragglersFrom: try read(.stragglersFrom), handedOutAt: try read(.handedOutAt),
            isReissued: try read(.isReissued), lastSeenAt: try read(.lastSeenAt),
            revocation: try fields.decodeIfPresent(Session.Revocation.self, forKey: .revocation),
            details: try read(.details))
    }

    /// Writes the document.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(session.id.rawValue, forKey: .id)
        try fields.encode(session.subject.rawValue, forKey: .subject)
        try fields.encode(session.secret.bytes, forKey: .secret)
        try fields.encode(session.createdAt, forKey: .createdAt)
        try fields.encode(session.expiresAt, forKey: .expiresAt)
        try fields.encode(session.generation, forKey: .generation)
        try fields.encode(session.confirmation, forKey: .confirmation)
        try fields.encode(session.rotatedAt, forKey: .rotatedAt)
        try fields.encode(session.refreshKey, forKey: .refreshKey)
        try fields.encode(session.stragglersFrom, forKey: .stragglersFrom)
        try fields.encode(session.handedOutAt, forKey: .handedOutAt)
        try fields.encode(session.isReissued, forKey: .isReissued)
        try fields.encode(session.lastSeenAt, forKey: .lastSeenAt)
        try fields.encodeIfPresent(session.revocation, forKey: .revocation)
        try fields.encode(session.details, forKey: .details)
    }
}
