import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens

/// The text of a setting read as what it means; nil for anything else.
enum SettingsParse {
    static func nonempty(_ text: String) -> String? {
        text.isEmpty ? nil : text
    }

    static func port(_ text: String) -> Int? {
        Int(text).flatMap { 0...65535 ~= $0 ? $0 : nil }
    }

    static func bool(_ text: String) -> Bool? {
        switch text {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off", "": false
        default: nil
        }
    }

    static func span(_ text: String) -> Span? {
        guard let seconds = Double(text), 0...34_560_000 ~= seconds else { return nil }
        return Span(milliseconds: Int64((seconds * 1000).rounded()))
    }

    static func signUp(_ text: String) -> Bool? {
        switch text {
        case "open": true
        case "closed": false
        default: nil
        }
    }

    static func origin(_ text: String) -> WebOrigin?? {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : text
        return WebOrigin(parsing: text.lowercased()).map { $0 }
    }

    static func origins(_ text: String) -> [WebOrigin]? {
        all(text) { origin($0) ?? nil }
    }

    static func proxies(_ text: String) -> TrustedProxies? {
        all(text) { AddressRange(parsing: $0) }.map { TrustedProxies($0) }
    }

    /// Absolute and without query or fragment: they are compared byte for byte.
    static func paths(_ text: String) -> [String]? {
        all(text) { path in
            let isPath = path.hasPrefix("/") && path.utf8.allSatisfy { 0x21...0x7E ~= $0 }
            return isPath && !path.contains { "?#".contains($0) } ? path : nil
        }
    }

    /// Bounded, so that the cookie stays within its size whatever is set.
    static func identifier(_ text: String) -> String? {
        let isPrintable = text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
        return isPrintable && 1...128 ~= text.utf8.count ? text : nil
    }

    static func algorithm(_ text: String) -> SignatureAlgorithm? {
        SignatureAlgorithm.signing.first { $0.rawValue == text }
    }

    static func rateLimit(_ text: String) -> Int?? {
        if text == "off" { return .some(nil) }
        return Int(text).flatMap { 1...100_000 ~= $0 ? $0 : nil }.map { $0 }
    }

    static func count(_ text: String) -> Int?? {
        Int(text).flatMap { 1...1_000_000 ~= $0 ? $0 : nil }.map { $0 }
    }

    static func store(_ text: String) -> String? {
        guard text.hasPrefix("sqlite:") else { return nil }
        return nonempty(String(text.dropFirst("sqlite:".count)))
    }

    /// `mobile=body,spa=hybrid,legacy=body+insecureAllowBrowser`
    static func clients(_ text: String) -> [Client]? {
        guard let clients = all(text, client) else { return nil }
        return Set(clients.map(\.id)).count == clients.count ? clients : nil
    }

    private static func client(_ text: String) -> Client? {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, 1...64 ~= parts[0].utf8.count, parts[0].utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            return nil
        }
        let words = parts[1].split(separator: "+")
        guard let delivery = words.first.flatMap({ Delivery(rawValue: String($0)) }) else { return nil }
        guard words.count == 1 || words.count == 2 && words[1] == "insecureAllowBrowser" else { return nil }
        return Client(
            id: ClientID(String(parts[0])), delivery: delivery, insecureAllowBrowser: words.count == 2)
    }

    private static func all<Value>(_ text: String, _ parse: (String) -> Value?) -> [Value]? {
        let items = text.split(separator: ",").map { item in
            String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        let values = items.filter { !$0.isEmpty }.map(parse)
        return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
    }
}
