package import CloakroomCore
import Crypto

/// The site that passkeys belong to: its RP ID, and the origins whose pages may use it (WebAuthn Level 3 section 5.1.2).
package struct RelyingParty: Hashable, Sendable {
    /// The RP ID: a host name without scheme and port.
    package let id: String
    /// Passkeys cross the ports and sub-domains of a host. The comparison with this list is all that separates them
    /// (section 13.4.9).
    package let origins: [WebOrigin]

    /// nil unless browsers let every origin use the RP ID: its host is the RP ID or below it, and no IP address; its
    /// scheme is `https`, or the host is the local machine.
    package init?(id: String, origins: [WebOrigin]) {
        guard let site = WebOrigin(parsing: "https://\(id)"), site.authority == id, !site.isAddress, !origins.isEmpty,
            origins.allSatisfy({ $0.host == id || $0.host.hasSuffix(".\(id)") }),
            origins.allSatisfy({ $0.scheme == "https" || $0.isLoopback })
        else { return nil }
        self.id = id
        self.origins = origins
    }

    /// What authenticator data of this site begins with.
    var idHash: [UInt8] { Array(SHA256.hash(data: Array(id.utf8))) }

    /// Whether the text is exactly one of the origins, as browsers write it.
    func contains(origin text: String) -> Bool {
        origins.contains { $0.description.utf8.elementsEqual(text.utf8) }
    }
}
