import CloakroomCore
import Yams

/// Reads the setting `clients` of the YAML file into the text of the environment variable.
///
/// It takes `[{id: mobile, delivery: body}]`, `{mobile: {delivery: body}}` and `{mobile: body}`. A client without a
/// delivery has `cookie`.
enum ClientsYAML {
    private static let keys = ["id", "delivery", "insecureAllowBrowser"]

    @Sendable static func text(_ node: Node) throws(SettingsFile.Fault) -> String {
        if let scalar = node.scalar { return scalar.string }
        var clients: [(id: String, text: String)] = []
        if let mapping = node.mapping {
            for (id, value) in mapping { clients.append(try client(id.scalar?.string, value, at: ".")) }
        } else if let sequence = node.sequence {
            for (index, item) in sequence.enumerated() {
                clients.append(try client(item.mapping?["id"]?.scalar?.string, item, at: "[\(index)]"))
            }
        }
        guard !clients.isEmpty || node.mapping?.isEmpty ?? node.sequence?.isEmpty ?? false else {
            throw SettingsFile.Fault()
        }
        for (index, client) in clients.enumerated() where clients[..<index].contains(where: { $0.id == client.id }) {
            throw SettingsFile.Fault(member: ".\(client.id)", problem: "stands twice")
        }
        return clients.map(\.text).joined(separator: ",")
    }

    /// - Parameter place: how a message names a client without an id.
    private static func client(
        _ id: String?, _ node: Node, at place: String
    ) throws(SettingsFile.Fault) -> (id: String, text: String) {
        if id == nil, let text = node.scalar?.string {
            try SettingsFile.checkItem(text, of: place)
            let id = String(text.prefix { $0 != "=" })
            return (id, text.contains("=") ? text : "\(text)=cookie")
        }
        guard let id, !id.isEmpty, !id.contains(where: { ",=".contains($0) }) else {
            throw SettingsFile.Fault(
                member: place == "." ? "" : place, problem: "expected an id without commas and equals signs")
        }
        return (id, "\(id)=\(try delivery(node, of: id))")
    }

    private static func delivery(_ node: Node, of id: String) throws(SettingsFile.Fault) -> String {
        if let text = node.scalar?.string {
            let isAbsent = ["", "~", "null"].contains(text)
            return isAbsent ? "cookie" : try known(text, member: ".\(id)")
        }
        guard let mapping = node.mapping else {
            throw SettingsFile.Fault(member: ".\(id)", problem: "expected a delivery, or a mapping with one")
        }
        for key in mapping.keys where !keys.contains(key.scalar?.string ?? "") {
            throw SettingsFile.Fault(
                member: ".\(id).\(key.scalar?.string ?? "?")",
                problem: "is not a key of a client; there are \(keys.joined(separator: ", "))")
        }
        let delivery = try mapping["delivery"].map { node throws(SettingsFile.Fault) in
            try known(node.scalar?.string, member: ".\(id).delivery")
        }
        guard let mark = mapping["insecureAllowBrowser"] else { return delivery ?? "cookie" }
        switch mark.scalar?.string {
        case "true": return "\(delivery ?? "cookie")+insecureAllowBrowser"
        case "false": return delivery ?? "cookie"
        default:
            throw SettingsFile.Fault(member: ".\(id).insecureAllowBrowser", problem: "expected true or false")
        }
    }

    /// The text of a delivery; a mark may follow it, as in an environment variable.
    private static func known(_ text: String?, member: String) throws(SettingsFile.Fault) -> String {
        guard let text, Delivery(rawValue: String(text.prefix { $0 != "+" })) != nil else {
            let got = text.map { "\"\($0)\"" } ?? "a value of another shape"
            throw SettingsFile.Fault(member: member, problem: "expected cookie, hybrid or body, got \(got)")
        }
        return text
    }
}
