import CloakroomFiles
import CloakroomPostgres
import CloakroomSQLite
import CloakroomStores
import Crypto

/// Brings the target of a move to the state of its source, by comparing the digests of rows.
///
/// It remembers nothing: a run that continues another one, or follows the changes of a server, finds by the same
/// comparison which rows to send.
struct StoreMove {
    let target: MoveTarget
    private static let page = 2000

    /// What became of one table.
    struct Result {
        let table: CopiedTable
        var rows = 0
        /// In all passes of this run, as `deleted`.
        var written = 0
        var deleted = 0
        /// The digest of the digests of all rows, in the order of their keys, which are the same in both databases; nil if
        /// they were not compared.
        var digest: SHA256?
        /// The newest of the events that were copied and compared.
        var newestEvent: Int64 = 0
    }

    /// Copies what differs in all tables.
    /// - Parameters:
    ///   - results: of the pass before, whose changes are counted as well. It has compared the events up to its newest,
    ///     and no event changes.
    ///   - verifies: whether to read back each page that was written. The source must not change then.
    /// - Throws: `UnusableData` if a page differs after it was written.
    func copy(_ rows: MoveRows, after results: [Result] = [], verifies: Bool) throws -> [Result] {
        let newestEvent = try rows.newestEvent()
        return try CopiedTable.allCases.map { table in
            let isCompared = verifies || table.isAppendOnly
            var result = Result(table: table, digest: isCompared ? SHA256() : nil)
            if let before = results.first(where: { $0.table == table }) {
                if table.isAppendOnly { result = before }
                (result.written, result.deleted) = (before.written, before.deleted)
            }
            let start = result.newestEvent
            var last = table.isAppendOnly ? rows.key(ofEventAt: start) : nil
            try rows.pages(of: table, after: start, by: Self.page) { page in
                let end = page.last?.key(in: table)
                try copy(page, after: last, through: end, isCompared, &result)
                last = end
            }
            if table.isAppendOnly {
                result.newestEvent = newestEvent
            } else {
                try copy([], after: last, through: nil, isCompared, &result)
            }
            return result
        }
    }

    private func copy(
        _ page: [CopiedRow], after start: CopiedRow.Key?, through end: CopiedRow.Key?, _ verifies: Bool,
        _ result: inout Result
    ) throws {
        let table = result.table
        let wanted = page.map { (row: $0, key: $0.key(in: table), digest: Array(SHA256.hash(data: $0.encoded))) }
        var found = try target.digests(of: table, after: start, through: end)
        let keys = Set(wanted.map(\.key))
        let different = wanted.filter { found[$0.key] != $0.digest }.map(\.row)
        let surplus = table.isAppendOnly ? [] : found.keys.filter { !keys.contains($0) }
        try target.save(different, deleting: surplus, in: table)
        result.rows += page.count
        result.written += different.count
        result.deleted += surplus.count
        guard verifies else { return }
        if !different.isEmpty || !surplus.isEmpty { found = try target.digests(of: table, after: start, through: end) }
        guard table.isAppendOnly || found.count == page.count else { throw Self.differs(table) }
        for entry in wanted {
            guard found[entry.key] == entry.digest else { throw Self.differs(table) }
            result.digest?.update(data: entry.digest)
        }
    }

    private static func differs(_ table: CopiedTable) -> UnusableData {
        UnusableData(.damaged, "the copy of \(table.rawValue) differs after it was written; nothing has moved")
    }
}
