/// Every setting, by its key in the YAML file. The other two spellings follow from it.
enum SettingName: String, CaseIterable {
    case host, port, dataDir, publicURL, store, demo
    case privateListen, privateSocketGroup, requestTimeout, maxConnections
    case accessTokenLifetime, stragglerWindow, reissueDelay, idleLifetime, absoluteLifetime, maxSessions
    case signup, trustedOrigins, trustedProxies, serviceWorkers, audience, issuer, signingAlgorithm, clients
    case loginRateLimit, signupRateLimit, cookieName, sameSite, xsrfCookie, logLevel, coreDumps

    /// `CLOAKROOM_PUBLIC_URL`
    var environmentName: String {
        "CLOAKROOM_" + words.joined(separator: "_").uppercased()
    }

    /// `--public-url`
    var flag: String {
        "--" + words.joined(separator: "-").lowercased()
    }

    /// `publicURL` is `public` and `URL`.
    private var words: [String] {
        var words: [String] = []
        var previousIsUpper = false
        for character in rawValue {
            if words.isEmpty || character.isUppercase && !previousIsUpper { words.append("") }
            words[words.count - 1].append(character)
            previousIsUpper = character.isUppercase
        }
        return words
    }
}
