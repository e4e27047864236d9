package import CloakroomCore

extension Claims {
    /// The claim that exceeds a limit, and the limit.
    package struct Fault: Error, Hashable, Sendable {
        /// nil for the claims as a whole.
        package let name: String?
        package let reason: String
    }

    /// The longest compact JSON of all claims, in bytes: more would not fit into the cookie.
    package static let longestJSON = 512
    private static let longestString = 128
    private static let longestList = 16

    /// Reads the claims that an app sends, within the limits. A null counts as absent.
    package init(_ object: JSONObject) throws(Fault) {
        var values: [String: Value] = [:]
        for member in object.members where member.value != .null {
            guard let value = Value(member.value) else {
                throw Fault(name: member.name, reason: "must be a string, a number, a Boolean, or a list of these")
            }
            if let reason = value.objection { throw Fault(name: member.name, reason: reason) }
            values[member.name] = value
        }
        self.init(values)
        guard JSONValue.object(json).serialized.count <= Self.longestJSON else {
            throw Fault(name: nil, reason: "must be at most \(Self.longestJSON) bytes of JSON")
        }
    }

    /// Reads the claims of a verified access token: every one whose name is not reserved.
    init(ofToken claims: JSONObject) {
        var values: [String: Value] = [:]
        for member in claims.members where !Self.reservedNames.contains(member.name) {
            values[member.name] = Value(member.value)
        }
        self = values.isEmpty ? .empty : Claims(values)
    }

    /// The claims in the order of their names, so that equal claims are equal bytes.
    package var json: JSONObject {
        var object = JSONObject()
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { object.append(name, value.json) }
        return object
    }

    /// The JSON in ASCII, for a header: other characters are escaped.
    package var asciiText: String {
        values.isEmpty ? "{}" : String(decoding: JSONValue.object(json).serializedInASCII, as: UTF8.self)
    }
}

extension Claims.Value {
    /// nil for an object, a null, or a list of lists.
    fileprivate init?(_ value: JSONValue) {
        switch value {
        case .array(let elements):
            let values = elements.compactMap { Self(scalar: $0) }
            guard values.count == elements.count else { return nil }
            self = .list(values)
        case .string, .integer, .number, .bool, .object, .null:
            guard let scalar = Self(scalar: value) else { return nil }
            self = scalar
        }
    }

    private init?(scalar: JSONValue) {
        switch scalar {
        case .string(let string): self = .string(string)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = .number(number)
        case .bool(let bool): self = .bool(bool)
        case .object, .array, .null: return nil
        }
    }

    fileprivate var json: JSONValue {
        switch self {
        case .string(let string): .string(string)
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .bool(let bool): .bool(bool)
        case .list(let values): .array(values.map(\.json))
        }
    }
}

extension Claims {
    fileprivate static func objection(to string: String) -> String? {
        string.utf8.count <= longestString ? nil : "must have strings of at most \(longestString) bytes"
    }

    fileprivate static func objection(to list: [Value]) -> String? {
        list.count <= longestList
            ? list.lazy.compactMap(\.objection).first : "must have lists of at most \(longestList) values"
    }
}

extension Claims.Value {
    fileprivate var objection: String? {
        switch self {
        case .string(let string): Claims.objection(to: string)
        case .list(let values): Claims.objection(to: values)
        case .integer, .number, .bool: nil
        }
    }
}
