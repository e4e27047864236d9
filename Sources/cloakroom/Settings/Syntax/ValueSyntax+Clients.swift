import CloakroomCore

extension ValueSyntax where Value == [Client] {
    /// `spa=hybrid,mobile=body,old=body+insecureAllowBrowser`; each client once.
    static var clients: Self {
        ValueSyntax<Client>.client.list(expected: "`id=cookie`, `id=hybrid` or `id=body`, separated by commas")
            .map({ Set($0.map(\.id)).count == $0.count ? $0 : nil }, { $0 })
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
