import CloakroomCore
import CloakroomStores
import CloakroomTokens

extension SessionCursor {
    /// The cursor as text, opaque to clients. It contains the id of a session of the same subject, which the list
    /// shows anyway.
    var text: String {
        Base64URL.encode(Array("\(createdAt.milliseconds)~\(id)".utf8))
    }

    /// Parses the text of a cursor; nil for any other text.
    init?(parsing text: some StringProtocol) {
        guard text.utf8.count <= 256, let bytes = Base64URL.decode(Array(text.utf8)) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "~", maxSplits: 1)
        guard parts.count == 2, let milliseconds = Int64(parts[0]) else { return nil }
        self.init(createdAt: Instant(milliseconds: milliseconds), id: SessionID(String(parts[1])))
    }
}
