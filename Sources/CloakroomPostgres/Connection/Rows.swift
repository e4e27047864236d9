import CPQ

/// The rows that a statement returned, in binary format. Columns are read by position.
final class Rows {
    private let result: OpaquePointer

    /// Takes ownership of the result.
    init(_ result: OpaquePointer) {
        self.result = result
    }

    deinit {
        PQclear(result)
    }

    /// The number of returned rows.
    var count: Int { Int(PQntuples(result)) }

    /// The number of rows that an INSERT, UPDATE or DELETE without RETURNING changed.
    var changes: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    subscript(row: Int) -> SQLRow { SQLRow(rows: self, row: Int32(row)) }

    var first: SQLRow? { count > 0 ? self[0] : nil }

    func map<Value>(_ body: (SQLRow) throws -> Value) rethrows -> [Value] {
        try (0..<count).map { try body(self[$0]) }
    }

    fileprivate func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer? {
        guard PQgetisnull(result, row, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }
}

/// One row. A NULL reads as zero, empty or false where the type is not optional.
struct SQLRow {
    fileprivate let rows: Rows
    fileprivate let row: Int32

    func optionalInt(_ column: Int32) -> Int64? {
        rows.bytes(row, column)?.reduce(into: (Int64(0), true)) { number, byte in
            // The first byte has the sign, also of a number of four bytes.
            number = (number.1 ? Int64(Int8(bitPattern: byte)) : number.0 << 8 | Int64(byte), false)
        }.0
    }

    func optionalText(_ column: Int32) -> String? {
        rows.bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    func optionalBytes(_ column: Int32) -> [UInt8]? {
        rows.bytes(row, column).map { Array($0) }
    }

    func int(_ column: Int32) -> Int64 { optionalInt(column) ?? 0 }
    func text(_ column: Int32) -> String { optionalText(column) ?? "" }
    func bytes(_ column: Int32) -> [UInt8] { optionalBytes(column) ?? [] }
    func bool(_ column: Int32) -> Bool { rows.bytes(row, column)?.first == 1 }
}
