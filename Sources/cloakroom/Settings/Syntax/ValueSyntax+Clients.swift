import CloakroomCore
import Yams

extension ValueSyntax where Value == [Client] {
    /// `spa=hybrid,mobile=body,old=body+insecureAllowBrowser`; each client once.
    static var clients: Self {
        ValueSyntax<Client>.client.list(expected: "`id=cookie`, `id=hybrid` or `id=body`, separated by commas")
            .map({ Set($0.map(\.id)).count == $0.count ? $0 : nil }, { $0 })
    }

    /// `[{id: mobile, delivery: body, insecureAllowBrowser: true}]` or `{mobile: body}`, converted to the text of the
    /// environment variable; nil for another shape.
    @Sendable static func readYAML(_ node: Node) -> String? {
        if let scalar = node.scalar { return scalar.string }
        let items = node.mapping.map { $0.map { named($0, $1) } } ?? node.sequence.map { $0.map(unnamed) }
        guard let items, !items.contains(nil) else { return nil }
        return items.compactMap { $0 }.joined(separator: ",")
    }

    private static func named(_ id: Node, _ value: Node) -> String? {
        guard let id = id.scalar?.string else { return nil }
        if let delivery = value.scalar?.string { return "\(id)=\(delivery)" }
        return value.mapping.flatMap { client(id: id, $0) }
    }

    private static func unnamed(_ item: Node) -> String? {
        if let text = item.scalar?.string { return text }
        guard let mapping = item.mapping, let id = mapping["id"]?.scalar?.string else { return nil }
        return client(id: id, mapping)
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

extension ValueSyntax where Value == Client {
    fileprivate static var client: Self {
        .init(
            placeholder: "id=delivery", expected: "`id=cookie`, `id=hybrid` or `id=body`", parse: parseClient,
            write: { client in
                let mark = client.insecureAllowBrowser ? "+insecureAllowBrowser" : ""
                return "\(client.id)=\(client.delivery.rawValue)\(mark)"
            })
    }

    @Sendable private static func parseClient(_ text: String) -> Client? {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, 1...64 ~= parts[0].utf8.count, parts[0].utf8.allSatisfy({ 0x21...0x7E ~= $0 })
        else { return nil }
        let words = parts[1].split(separator: "+")
        guard let delivery = words.first.flatMap({ Delivery(rawValue: String($0)) }) else { return nil }
        guard words.count == 1 || words.count == 2 && words[1] == "insecureAllowBrowser" else { return nil }
        return Client(id: ClientID(String(parts[0])), delivery: delivery, insecureAllowBrowser: words.count == 2)
    }
}
