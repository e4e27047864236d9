import Foundation
import Yams

/// Reads the YAML file into one text per setting.
enum SettingsFile {
    /// - Throws: `SettingsError`, which names the file, the key and the expected value.
    static func read(_ path: String) throws(SettingsError) -> [SettingKey: String] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw SettingsError(place: path, problem: "there is no such file")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SettingsError(place: path, problem: "cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw SettingsError(place: path, problem: "is not UTF-8 text")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw SettingsError(place: path, problem: "is not YAML: \(error)")
        }
        guard let root else { return [:] }
        guard let mapping = root.mapping else {
            throw SettingsError(place: path, problem: "must be a mapping of settings")
        }
        var values: [SettingKey: String] = [:]
        for (keyNode, node) in mapping {
            let key = SettingKey(keyNode.scalar?.string ?? "?")
            guard values[key] == nil else { throw SettingsError(place: "\(path): \(key)", problem: "stands twice") }
            values[key] = try self.text(of: node, for: key, in: path)
        }
        return values
    }

    private static func text(
        of node: Node, for key: SettingKey, in path: String
    ) throws(SettingsError) -> String {
        let place = "\(path): \(key)"
        guard let setting = SettingsTable[key] else {
            let keys = SettingsTable.all.map(\.key.name).joined(separator: ", ")
            throw SettingsError(place: place, problem: "is not a setting; there are \(keys)")
        }
        guard let text = setting.readYAML(node) else {
            throw SettingsError(
                place: place, problem: "expected \(setting.expected.withoutMarkup), got a value of another shape")
        }
        return text
    }

    /// A scalar, or a list of scalars joined as in an environment variable; nil for any other shape.
    @Sendable static func text(_ node: Node) -> String? {
        if let scalar = node.scalar { return scalar.string }
        guard let sequence = node.sequence else { return nil }
        let items = sequence.map { $0.scalar?.string }
        return items.contains(nil) ? nil : items.compactMap { $0 }.joined(separator: ",")
    }
}
