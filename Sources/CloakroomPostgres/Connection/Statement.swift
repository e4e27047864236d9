import Foundation

/// A value for a parameter of a statement, in PostgreSQL's binary format. `nil` is NULL of the same type.
enum SQLValue {
    case int(Int64?)
    case bool(Bool?)
    case text(String?)
    case bytes([UInt8]?)
    case ints([Int64?])
    case texts([String?])
    case bytesList([[UInt8]?])
    case uuids([UUID])
}

extension SQLValue {
    /// The type, by the number that the catalogue of every PostgreSQL has for it.
    var type: UInt32 {
        switch self {
        case .int: 20
        case .bool: 16
        case .text: 25
        case .bytes: 17
        case .ints: 1016
        case .texts: 1009
        case .bytesList: 1001
        case .uuids: 2951
        }
    }

    /// Appends the value.
    /// - Returns: whether it is not NULL.
    func append(to buffer: inout [UInt8]) -> Bool {
        switch self {
        case .int(let number):
            guard let number else { return false }
            buffer.append(bigEndian: number)
        case .bool(let flag):
            guard let flag else { return false }
            buffer.append(flag ? 1 : 0)
        case .text(let text):
            guard let text else { return false }
            buffer.append(contentsOf: text.utf8)
        case .bytes(let bytes):
            guard let bytes else { return false }
            buffer.append(contentsOf: bytes)
        case .ints(let list): appendArray(of: 20, list, to: &buffer) { $1.append(bigEndian: $0) }
        case .texts(let list): appendArray(of: 25, list, to: &buffer) { $1.append(contentsOf: $0.utf8) }
        case .bytesList(let list): appendArray(of: 17, list, to: &buffer) { $1.append(contentsOf: $0) }
        case .uuids(let list):
            appendArray(of: 2950, list, to: &buffer) { uuid, buffer in
                withUnsafeBytes(of: uuid.uuid) { buffer.append(contentsOf: $0) }
            }
        }
        return true
    }

    /// Appends an array of one dimension: dimensions, flag for NULLs, type of the elements, length, first index,
    /// elements.
    private func appendArray<Element>(
        of type: Int32, _ list: [Element?], to buffer: inout [UInt8], _ write: (Element, inout [UInt8]) -> Void
    ) {
        let head: [Int32] = list.isEmpty ? [0, 0, type] : [1, 1, type, Int32(list.count), 1]
        for number in head { buffer.append(bigEndian: number) }
        for element in list {
            let start = buffer.count
            buffer.append(bigEndian: Int32(-1))
            guard let element else { continue }
            write(element, &buffer)
            let length = Int32(buffer.count - start - 4)
            withUnsafeBytes(of: length.bigEndian) { buffer.replaceSubrange(start..<start + 4, with: $0) }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}

/// One statement with its parameters `$1`, `$2`, ...
struct Statement {
    let sql: String
    let values: [SQLValue]
    /// The months of the events that it inserts, each of which needs a partition.
    var months: Set<EventMonth> = []
    /// Whether connections keep it for the next time. It is then parsed before an earlier statement of its transaction
    /// runs.
    var isKept = true

    init(_ sql: String, _ values: [SQLValue] = [], months: Set<EventMonth> = []) {
        self.sql = sql
        self.values = values
        self.months = months
    }
}

extension Statement {
    /// A statement that runs once, such as one that needs the tables of the statement before it.
    static func single(_ sql: String, _ values: [SQLValue] = []) -> Self {
        var statement = Self(sql, values)
        statement.isKept = false
        return statement
    }
}

/// Collects the parameters of a statement while its text is written.
struct StatementText {
    private(set) var values: [SQLValue] = []

    /// Adds a parameter.
    /// - Returns: its name in the text, such as `$3`.
    mutating func bind(_ value: SQLValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }
}
