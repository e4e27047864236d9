import CloakroomCore
import CloakroomTokens
import Foundation

/// Third-party test data, read with our own JSON reader.
enum Vectors {
    static func read(_ name: String) throws -> JSONObject {
        guard let url = Bundle.module.url(forResource: "Vectors/\(name)", withExtension: "json") else {
            throw CocoaError(.fileNoSuchFile)
        }
        let value = try JSONReader.read(Array(Data(contentsOf: url)), maximumDepth: 16)
        return value.objectValue ?? [:]
    }

    struct Case {
        let id: Int64
        let jwk: JSONObject
        let token: [UInt8]
        let isValid: Bool
    }

    /// The cases of a Wycheproof file of JOSE vectors.
    static func wycheproof(_ name: String) throws -> [Case] {
        let groups = try read(name)["testGroups"]?.arrayValue ?? []
        return groups.flatMap { group -> [Case] in
            let members = group.objectValue ?? [:]
            let jwk = (members["public"] ?? members["private"])?.objectValue ?? [:]
            return (members["tests"]?.arrayValue ?? []).compactMap { test in
                guard let test = test.objectValue, let id = test["tcId"]?.integerValue,
                    let token = test["jws"]?.stringValue
                else { return nil }
                return Case(id: id, jwk: jwk, token: Array(token.utf8), isValid: test["result"] == "valid")
            }
        }
    }
}
