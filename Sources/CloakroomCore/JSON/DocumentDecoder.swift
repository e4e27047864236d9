/// Decodes a `Codable` value from JSON text.
///
/// For the documents in the rows of a store, one of which every renewal reads: Foundation's decoder takes 1.7 times as long,
/// with three times the allocations. Objects, arrays, texts, numbers and Booleans are decoded as Foundation does. There are no
/// paths in its errors, no strategies for dates or data, and no decoding of a superclass.
package enum DocumentDecoder {
    /// Why the text is no such value. Neither the text nor a key is quoted.
    package struct Failure: Error, Hashable, Sendable {
        package let reason: String
    }

    /// How deeply the documents of a store may nest. An app chooses the values of its claims.
    private static let maximumDepth = 64

    /// - Throws: `JSONReader.Failure`, `Failure`, and an error of the initializer of a value.
    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Collection<UInt8>) throws -> Value
    {
        try ValueDecoder(value: JSONReader.read(Array(bytes), maximumDepth: maximumDepth)).decode(type)
    }
}

/// A value that the containers return without asking for its initializer.
private protocol Primitive {
    init?(_ value: JSONValue)
}

extension Bool: Primitive {
    fileprivate init?(_ value: JSONValue) {
        guard let bool = value.boolValue else { return nil }
        self = bool
    }
}

extension String: Primitive {
    fileprivate init?(_ value: JSONValue) {
        guard let string = value.stringValue else { return nil }
        self = string
    }
}

extension BinaryFloatingPoint {
    fileprivate init?(_ value: JSONValue) {
        switch value {
        case .integer(let integer): self.init(integer)
        case .number(let number): self.init(number)
        case .object, .array, .string, .bool, .null: return nil
        }
    }
}

extension FixedWidthInteger {
    fileprivate init?(_ value: JSONValue) {
        guard let integer = value.integerValue else { return nil }
        self.init(exactly: integer)
    }
}

extension Double: Primitive {}
extension Float: Primitive {}
extension Int: Primitive {}
extension Int8: Primitive {}
extension Int16: Primitive {}
extension Int32: Primitive {}
extension Int64: Primitive {}
extension UInt: Primitive {}
extension UInt8: Primitive {}
extension UInt16: Primitive {}
extension UInt32: Primitive {}
extension UInt64: Primitive {}

/// Decodes one JSON value; the container of a single value, too.
private struct ValueDecoder: Decoder, SingleValueDecodingContainer {
    let value: JSONValue

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func decodeNil() -> Bool { value == .null }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard let primitive = type as? any Primitive.Type else { return try Value(from: self) }
        guard let found = primitive.init(value) as? Value else {
            throw DocumentDecoder.Failure(reason: "a value has another type")
        }
        return found
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let object = value.objectValue else { throw DocumentDecoder.Failure(reason: "no object") }
        return KeyedDecodingContainer(ObjectContainer(object: object))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = value.arrayValue else { throw DocumentDecoder.Failure(reason: "no array") }
        return ArrayContainer(elements: elements)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }
}

private struct ObjectContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: JSONObject

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { object.members.compactMap { Key(stringValue: $0.name) } }

    func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }

    private func decoder(_ key: some CodingKey) throws -> ValueDecoder {
        guard let value = object[key.stringValue] else { throw DocumentDecoder.Failure(reason: "a member is missing") }
        return ValueDecoder(value: value)
    }

    func decodeNil(forKey key: Key) throws -> Bool { try decoder(key).decodeNil() }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try decoder(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { throw DocumentDecoder.Failure(reason: "no superclass") }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

private struct ArrayContainer: UnkeyedDecodingContainer {
    let elements: [JSONValue]
    private(set) var currentIndex = 0

    init(elements: [JSONValue]) {
        self.elements = elements
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    private var current: ValueDecoder {
        get throws {
            guard !isAtEnd else { throw DocumentDecoder.Failure(reason: "an array is too short") }
            return ValueDecoder(value: elements[currentIndex])
        }
    }

    mutating func decodeNil() throws -> Bool {
        guard try current.decodeNil() else { return false }
        currentIndex += 1
        return true
    }

    /// A value that cannot be decoded stays the current one.
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try current.decode(type)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try current.container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try current.unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try current
        currentIndex += 1
        return decoder
    }
}
