import CloakroomStores

extension CopiedTable.Column {
    /// The column as `CopiedRow.encoded` writes it.
    var encoded: String {
        let bytes =
            switch kind {
            case .int: "int8send(\(name))"
            case .bool: "boolsend(\(name))"
            case .text, .uuid: "convert_to(\(readable), 'UTF8')"
            case .bytes: name
            }
        return "coalesce(int4send(octet_length(\(bytes))) || \(bytes), '\\xffffffff'::bytea)"
    }

    /// The column in a type that `value` reads.
    var readable: String {
        switch kind {
        case .int, .bool, .text, .bytes: name
        case .uuid: "\(name)::text"
        }
    }

    /// A parameter, or an element of a list, in the type of the column.
    func cast(_ expression: String) -> String {
        switch kind {
        case .int, .text, .bytes: expression
        case .bool: "\(expression) <> 0"
        case .uuid: "\(expression)::uuid"
        }
    }

    /// The values of the column in several rows.
    func list(_ values: [CopiedRow.Value]) -> SQLValue {
        switch kind {
        case .int, .bool: .ints(values.map(\.number))
        case .text, .uuid: .texts(values.map(\.text))
        case .bytes: .bytesList(values.map(\.bytes))
        }
    }

    func value(_ row: SQLRow, _ column: Int32) -> CopiedRow.Value {
        switch kind {
        case .int: row.optionalInt(column).map { .int($0) } ?? .null
        case .bool: .bool(row.bool(column))
        case .text, .uuid: row.optionalText(column).map { .text($0) } ?? .null
        case .bytes: row.optionalBytes(column).map { .bytes($0) } ?? .null
        }
    }
}

extension CopiedRow.Value {
    /// As a parameter of a statement.
    var parameter: SQLValue {
        switch self {
        case .null: .text(nil)
        case .int(let number): .int(number)
        case .bool(let flag): .bool(flag)
        case .text(let text): .text(text)
        case .bytes(let bytes): .bytes(bytes)
        }
    }

    fileprivate var number: Int64? {
        switch self {
        case .int(let number): number
        case .bool(let flag): flag ? 1 : 0
        case .null, .text, .bytes: nil
        }
    }

    fileprivate var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    fileprivate var bytes: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }
}
