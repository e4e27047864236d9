import CloakroomCore
import CloakroomGateway
import Foundation
import Yams

/// Reads the gateway's rules from their YAML.
enum RouteRules {
    /// A rule that cannot be used.
    struct Unusable: Error {
        let problem: String
    }

    /// Makes one text of the YAML file's node, for the setting.
    @Sendable static func text(_ node: Node) throws(SettingsFile.Fault) -> String {
        if let scalar = node.scalar { return scalar.string }
        guard node.sequence != nil, let text = try? Yams.serialize(node: node) else { throw SettingsFile.Fault() }
        return text
    }

    /// - Parameter upstream: the backends of rules that name none.
    static func table(_ settings: GatewaySettings) throws(Unusable) -> RouteTable? {
        guard settings.routes != nil || !settings.upstream.isEmpty else { return nil }
        let routes = try settings.routes.map { text throws(Unusable) in try read(text, settings.upstream) }
        do {
            return try RouteTable(try routes ?? [everything(settings.upstream)])
        } catch let fault as RouteTable.Unreachable {
            throw Unusable(problem: fault.description)
        } catch {
            throw Unusable(problem: "\(error)")
        }
    }

    private static func everything(_ upstream: [UpstreamAddress]) throws(Unusable) -> Route {
        guard let pattern = PathPattern(parsing: "/*") else { throw Unusable(problem: "/* is no pattern") }
        return Route(pattern, access: .session(nil), upstream: UpstreamGroup(upstream))
    }

    private static func read(_ text: String, _ upstream: [UpstreamAddress]) throws(Unusable) -> [Route] {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw Unusable(problem: "is not YAML: \(error)") }
        guard let items = root?.sequence, !items.isEmpty else {
            throw Unusable(problem: "expected a list of rules such as [{path: /*, access: session}]")
        }
        var routes: [Route] = []
        for (index, item) in items.enumerated() {
            do throws(Unusable) {
                routes.append(try RuleReader(item).route(upstream))
            } catch {
                throw Unusable(problem: "rule \(index + 1): \(error.problem)")
            }
        }
        return routes
    }
}

/// Reads one rule, and finds keys that it does not know.
private struct RuleReader {
    private let mapping: Node.Mapping

    private static let keys = [
        "path", "methods", "access", "maxAge", "acr", "claims", "login", "upstream", "healthPath", "rewrite", "bearer",
        "cookie", "timeout", "idleTimeout", "maxBody",
    ]

    init(_ node: Node) throws(RouteRules.Unusable) {
        guard let mapping = node.mapping else { throw .init(problem: "expected a mapping with a path") }
        self.mapping = mapping
        for (key, _) in mapping {
            let name = key.scalar?.string ?? "?"
            guard Self.keys.contains(name) else {
                throw .init(problem: "\(name) is not a key of a rule; there are \(Self.keys.joined(separator: ", "))")
            }
        }
    }

    func route(_ fallback: [UpstreamAddress]) throws(RouteRules.Unusable) -> Route {
        guard let pattern = PathPattern(parsing: try text("path") ?? "") else {
            throw unusable(
                "path", "a path such as /api/*, where * stands for a whole segment or, at the end, for the rest")
        }
        let (access, claims) = (try access(), try claims())
        guard access != .open || claims.isEmpty else {
            throw unusable("claims", "access session or step-up beside it")
        }
        return Route(
            pattern, methods: try methods(), access: access, claims: claims,
            login: try one("login", ["redirect": .redirect, "401": .unauthorized]) ?? .redirect,
            upstream: try upstream(fallback), rewrite: try rewrite(pattern),
            keepsBearer: try one("bearer", ["keep": true, "replace": false]) ?? false,
            keepsCookie: try one("cookie", ["keep": true, "remove": false]) ?? false, limits: try limits())
    }

    private func access() throws(RouteRules.Unusable) -> Route.Access {
        let isStepUp = try one("access", ["public": Bool?.none, "session": false, "step-up": true])
        guard let isStepUp else { throw unusable("access", "public, session or step-up") }
        let demand = try demand()
        switch isStepUp {
        case nil, false?:
            guard demand == nil else { throw unusable("access", "step-up, where maxAge or acr is given") }
            return isStepUp == nil ? .open : .session(nil)
        case true?:
            guard let demand else { throw unusable("access", "maxAge or acr besides, for step-up") }
            return .session(demand)
        }
    }

    private func demand() throws(RouteRules.Unusable) -> StepUp? {
        let age = try number("maxAge", 0...34_560_000)
        let level = try text("acr").map { text throws(RouteRules.Unusable) in
            guard let level = AuthenticationLevel(rawValue: text) else {
                throw unusable("acr", AuthenticationLevel.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return level
        }
        guard age != nil || level != nil else { return nil }
        return StepUp(maximumAge: age.map { .seconds($0) }, minimumLevel: level ?? .singleFactor)
    }

    private func upstream(_ fallback: [UpstreamAddress]) throws(RouteRules.Unusable) -> UpstreamGroup {
        let texts = try list("upstream")
        let addresses = texts.compactMap { UpstreamAddress(parsing: $0) }
        guard addresses.count == texts.count else {
            throw unusable("upstream", "addresses such as http://127.0.0.1:3000")
        }
        guard !addresses.isEmpty || !fallback.isEmpty else {
            throw .init(problem: "has no upstream, and the setting upstream is not given")
        }
        let path = try text("healthPath")
        guard path.map({ PathPattern(parsing: $0) != nil && !$0.contains("*") }) ?? true else {
            throw unusable("healthPath", "a path")
        }
        return UpstreamGroup(addresses.isEmpty ? fallback : addresses, healthPath: path)
    }

    private func methods() throws(RouteRules.Unusable) -> Set<String>? {
        let methods = try list("methods")
        guard
            methods.allSatisfy({ method in
                1...32 ~= method.utf8.count
                    && method.utf8.allSatisfy { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 || $0 == UInt8(ascii: "-") }
            })
        else { throw unusable("methods", "methods in upper case") }
        guard mapping["methods"] == nil || !methods.isEmpty, !methods.contains("CONNECT"), !methods.contains("TRACE")
        else {
            throw unusable("methods", "methods other than CONNECT and TRACE, at least one")
        }
        return methods.isEmpty ? nil : Set(methods)
    }

    private func claims() throws(RouteRules.Unusable) -> [String: String] {
        guard let node = mapping["claims"] else { return [:] }
        guard let claims = node.mapping else {
            throw unusable("claims", "names with one value each, such as {roles: editor}")
        }
        var values: [String: String] = [:]
        for (name, value) in claims {
            guard let name = name.scalar?.string, let value = value.scalar?.string else {
                throw unusable("claims", "names with one value each, such as {roles: editor}")
            }
            values[name] = value
        }
        return values
    }

    /// What takes the place of the pattern's literal beginning.
    private func rewrite(_ pattern: PathPattern) throws(RouteRules.Unusable) -> PathRewrite? {
        guard let text = try text("rewrite") else { return nil }
        guard PathPattern(parsing: text) != nil, !text.contains("*"), text == "/" || !text.hasSuffix("/"),
            let prefix = pattern.prefix
        else {
            throw unusable("rewrite", "a path such as / or /v2, behind a pattern that ends with /*")
        }
        return PathRewrite(prefix: prefix, replacement: text == "/" ? "" : text)
    }

    private func limits() throws(RouteRules.Unusable) -> RouteLimits {
        var limits = RouteLimits()
        if let seconds = try seconds("timeout") { limits.response = seconds }
        if let seconds = try seconds("idleTimeout") { limits.idle = seconds }
        limits.body = try number("maxBody", 0...(1 << 50)).map { Int($0) }
        return limits
    }

    // MARK: Values

    private func text(_ key: String) throws(RouteRules.Unusable) -> String? {
        guard let node = mapping[key] else { return nil }
        guard let scalar = node.scalar else { throw unusable(key, "one value") }
        return scalar.string
    }

    private func one<Value>(_ key: String, _ values: [String: Value]) throws(RouteRules.Unusable) -> Value? {
        guard let text = try text(key) else { return nil }
        guard let value = values[text] else { throw unusable(key, values.keys.sorted().joined(separator: " or ")) }
        return value
    }

    private func list(_ key: String) throws(RouteRules.Unusable) -> [String] {
        guard let node = mapping[key] else { return [] }
        if let scalar = node.scalar { return [scalar.string] }
        let items = node.sequence.map { $0.map { $0.scalar?.string } } ?? [nil]
        guard !items.contains(nil) else { throw unusable(key, "a list of values") }
        return items.compactMap { $0 }
    }

    private func number(_ key: String, _ range: ClosedRange<Int64>) throws(RouteRules.Unusable) -> Int64? {
        guard let text = try text(key) else { return nil }
        guard let number = Int64(text), range ~= number else {
            throw unusable(key, "a number, \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func seconds(_ key: String) throws(RouteRules.Unusable) -> Span? {
        guard let text = try text(key) else { return nil }
        guard let seconds = Double(text), 0.1...86400 ~= seconds else { throw unusable(key, "seconds, 0.1 to 86400") }
        return Span(milliseconds: Int64(seconds * 1000))
    }

    private func unusable(_ key: String, _ expected: String) -> RouteRules.Unusable {
        let value = mapping[key].flatMap { try? RouteRules.text($0) }
        let actual = value.map { ", got \"\($0.trimmingCharacters(in: .whitespacesAndNewlines))\"" } ?? ""
        return .init(problem: "\(key): expected \(expected)\(actual)")
    }
}
