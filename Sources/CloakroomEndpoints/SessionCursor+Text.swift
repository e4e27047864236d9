import CloakroomCore
import CloakroomStores
import CloakroomTokens

extension SessionCursor {
    /// Opaque to clients. It names a session of their own, which the list shows them anyway.
    var text: String {
        Base64URL.encode(Array("\(createdAt.milliseconds)~\(id)".utf8))
    }

    /// nil for anything but the text of a cursor.
    init?(parsing text: some StringProtocol) {
        guard text.utf8.count <= 256, let bytes = Base64URL.decode(Array(text.utf8)) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "~", maxSplits: 1)
        guard parts.count == 2, let milliseconds = Int64(parts[0]) else { return nil }
        self.init(createdAt: Instant(milliseconds: milliseconds), id: SessionID(String(parts[1])))
    }
}
