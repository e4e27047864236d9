import Foundation
import Yams

/// The YAML file, as one text per setting.
enum SettingsFile {
    /// - Throws: `SettingsError` naming the file, the key and what was expected.
    static func read(_ path: String) throws(SettingsError) -> [SettingName: String] {
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8)
        else {
            throw SettingsError(source: path, key: nil, problem: "cannot be read as UTF-8 text")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw SettingsError(source: path, key: nil, problem: "is not YAML: \(error)")
        }
        guard let root else { return [:] }
        guard let mapping = root.mapping else {
            throw SettingsError(source: path, key: nil, problem: "must be a mapping of settings")
        }
        var values: [SettingName: String] = [:]
        for (keyNode, node) in mapping {
            let key = keyNode.scalar?.string ?? "?"
            guard let name = SettingName(rawValue: key) else {
                throw SettingsError(
                    source: path, key: key,
                    problem:
                        "is not a setting; there are \(SettingName.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            guard values[name] == nil else { throw SettingsError(source: path, key: key, problem: "stands twice") }
            guard let value = self.text(of: node, for: name) else {
                throw SettingsError(
                    source: path, key: key, problem: "is not a value of this form; see docs/configuration.md")
            }
            values[name] = value
        }
        return values
    }

    private static func text(of node: Node, for name: SettingName) -> String? {
        if let scalar = node.scalar { return scalar.string }
        if name == .clients { return clients(node) }
        guard let sequence = node.sequence else { return nil }
        let items = sequence.map { $0.scalar?.string }
        return items.contains(nil) ? nil : items.compactMap { $0 }.joined(separator: ",")
    }

    /// `[{id: mobile, delivery: body, insecureAllowBrowser: true}]`, or `{mobile: body}`, in the spelling of the
    /// environment: `mobile=body+insecureAllowBrowser`.
    private static func clients(_ node: Node) -> String? {
        if let mapping = node.mapping {
            let items = mapping.map { id, value -> String? in
                guard let id = id.scalar?.string else { return nil }
                if let delivery = value.scalar?.string { return "\(id)=\(delivery)" }
                return value.mapping.flatMap { client(id: id, $0) }
            }
            return items.contains(nil) ? nil : items.compactMap { $0 }.joined(separator: ",")
        }
        guard let sequence = node.sequence else { return nil }
        let items = sequence.map { item -> String? in
            if let text = item.scalar?.string { return text }
            guard let mapping = item.mapping, let id = mapping["id"]?.scalar?.string else { return nil }
            return client(id: id, mapping)
        }
        return items.contains(nil) ? nil : items.compactMap { $0 }.joined(separator: ",")
    }

    private static func client(id: String, _ mapping: Node.Mapping) -> String? {
        let known: Set = ["id", "delivery", "insecureAllowBrowser"]
        guard mapping.keys.allSatisfy({ known.contains($0.scalar?.string ?? "") }) else { return nil }
        let delivery = mapping["delivery"]?.scalar?.string ?? "cookie"
        switch mapping["insecureAllowBrowser"]?.scalar?.string {
        case nil, "false": return "\(id)=\(delivery)"
        case "true": return "\(id)=\(delivery)+insecureAllowBrowser"
        default: return nil
        }
    }
}

/// A setting that cannot be used: where it stands, its key, and what was expected.
struct SettingsError: Error, CustomStringConvertible {
    let source: String
    let key: String?
    let problem: String

    var description: String {
        [source, key, problem].compactMap { $0 }.joined(separator: ": ")
    }
}
