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
        do { root = try Yams.compose(yaml: text) } catch { throw SettingsError(yaml: error, in: path) }
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
        do throws(Fault) { return try setting.readYAML(node) } catch {
            let expected = "expected \(setting.expected.withoutMarkup), got a value of another shape"
            throw SettingsError(place: place + error.member, problem: error.problem ?? expected)
        }
    }

    /// Why a node of the file is no value of its setting.
    struct Fault: Error {
        /// What follows the key of the setting in the message, such as `.mobile.delivery`.
        var member = ""
        /// nil for a value of another shape than the setting's.
        var problem: String?
    }

    /// A scalar, or a list of scalars joined as in an environment variable.
    @Sendable static func text(_ node: Node) throws(Fault) -> String {
        if let scalar = node.scalar { return scalar.string }
        guard let sequence = node.sequence else { throw Fault() }
        var items: [String] = []
        for item in sequence {
            guard let text = item.scalar?.string else { throw Fault() }
            try checkItem(text)
            items.append(text)
        }
        return items.joined(separator: ",")
    }

    /// An item with a comma would count as several values, such as two trusted origins for one.
    static func checkItem(_ text: String, of member: String = "") throws(Fault) {
        guard text.contains(",") else { return }
        throw Fault(
            member: member, problem: "expected one value in each item, got \"\(text)\"; a comma separates two values")
    }
}
