import CloakroomCore
import CloakroomEndpoints
import CloakroomTokens

/// The contents of tokens, and their delivery to clients.
enum TokenSettings: SettingsSection {
    static let title = "Tokens and clients"

    static let settings: [Setting] = [
        Setting(
            "issuer", .identifier, to: \.server.issuer,
            default: .computed("`publicURL`, or `http://localhost` without one") { settings in
                if let publicURL = settings.server.publicURL { settings.server.issuer = publicURL.description }
            },
            example: "https://login.example.com", help: "Issuer of access tokens, the claim `iss`."),
        Setting(
            "audience", ValueSyntax.identifier.optional(), to: \.server.audience, default: .computed("the issuer"),
            example: "https://api.example.com", help: "Audience of access tokens, the claim `aud`."),
        Setting(
            "signingAlgorithm",
            ValueSyntax.one(of: SignatureAlgorithm.signing)
                .map({ SigningAlgorithm($0) }, \.algorithm).optional(),
            to: \.server.signingAlgorithm, default: .computed("that of the keys; `ES256` for new ones"),
            example: "RS256", help: "Algorithm that signs access tokens.",
            note: """
                Tokens name `Ed25519` as `EdDSA`, which the libraries of other languages expect. After a change the new \
                key is published for ten minutes before it signs.
                """),
        Setting(
            "keyRotation",
            ValueSyntax.seconds(Span.minutes(60)...Span.days(400), expected: "seconds, 3600 to 400 days").or("off"),
            to: \.server.keyRotation, example: "2592000",
            help: "Seconds after which a new signing key and a new refresh secret take over.",
            note: "At least a ninetieth of `absoluteLifetime`. See [rotate keys](operations.md#rotate-keys)."),
        Setting(
            "clients", .clients, to: \.server.clients, example: "spa=hybrid,mobile=body",
            help: "Clients besides `browser`, and how each receives its tokens.",
            note: "See [clients and delivery](#clients-and-delivery).",
            risk: .init(
                warning: "`insecureAllowBrowser` lets script in the pages of a client read its tokens."
            ) { $0.server.clients.contains { $0.insecureAllowBrowser } },
            readYAML: ClientsYAML.text),
        Setting(
            "claims",
            ValueSyntax.claimName.set(
                expected:
                    "names of letters, digits, `_`, `-` and `.`, not reserved ones such as `sub`, `scope` or `act`"),
            to: \.server.claims, example: "roles,tenant",
            help: "Names of the claims that backends may add to access tokens over the service API.",
            note: "See [claims](own-login.md#put-roles-into-the-access-token)."),
        Setting(
            "statusListTTL", ValueSyntax.number(2...3600, "seconds").or("off"), to: \.server.statusListTTL,
            example: "15",
            help: "Seconds for which a verifier may keep a status list; access tokens then name one.",
            note: "See [polling](kits.md#poll-for-revocations)."),
    ]
}
