/// A position in rows that carry the number of their transaction.
///
/// Numbers are given out in one order and committed in another: a reader that goes on after the highest number that it
/// has seen misses a transaction that commits late. A reader therefore remembers a snapshot, and reads what that
/// snapshot does not see. A read that fills a page goes on within the same pair of snapshots.
struct SnapshotCursor: Equatable {
    /// What was read completely: everything that this snapshot sees.
    var seen: Snapshot
    /// The read that is under way; nil between two reads.
    var reading: Reading?

    struct Reading: Equatable {
        /// The read ends with what this snapshot sees.
        let until: Snapshot
        /// The transaction of the last row of the previous page.
        let transaction: String
        /// The order of that row among those of its transaction.
        let key: String
    }

    static let start = SnapshotCursor(seen: .empty, reading: nil)

    init(seen: Snapshot, reading: Reading?) {
        self.seen = seen
        self.reading = reading
    }

    /// Reads a cursor; the start if the text is not one. A client may have sent it.
    init(_ text: String?) {
        self = text.flatMap { Self(exactly: $0) } ?? .start
    }

    /// Reads a cursor; nil if the text is not one.
    init?(exactly text: String) {
        let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard let seen = parts.first.flatMap(Snapshot.init), parts.count == 1 || parts.count == 4 else { return nil }
        guard parts.count == 4 else {
            self.init(seen: seen, reading: nil)
            return
        }
        guard let until = Snapshot(parts[1]), UInt64(parts[2]) != nil else { return nil }
        self.init(seen: seen, reading: Reading(until: until, transaction: parts[2], key: parts[3]))
    }

    /// Whether the server has given out fewer numbers than the cursor knows: its files were replaced by older ones.
    func isAhead(of current: Snapshot) -> Bool {
        max(seen.end, reading?.until.end ?? 0) > current.end
    }

    /// A cursor of at most 170 bytes that is not after this one: the list of running transactions may have hundreds of
    /// numbers.
    var shortened: Self {
        let candidates = [self, Self(seen: seen, reading: nil)]
        return candidates.first { $0.text.utf8.count <= 170 } ?? Self(seen: seen.beforeRunning, reading: nil)
    }

    var text: String {
        guard let reading else { return seen.text }
        return "\(seen.text)/\(reading.until.text)/\(reading.transaction)/\(reading.key)"
    }
}

/// A value of the type `pg_snapshot`.
struct Snapshot: Equatable {
    let text: String

    /// Sees nothing: 3 is the first number that a transaction can have.
    static let empty = Snapshot(trusted: "3:3:")

    private init(trusted text: String) {
        self.text = text
    }

    /// The lowest number that had not been given out.
    var end: UInt64 { UInt64(text.split(separator: ":")[1]) ?? .max }

    /// Sees only what the oldest transaction that was running sees.
    var beforeRunning: Self {
        let lowest = text.prefix { $0 != ":" }
        return Self(trusted: "\(lowest):\(lowest):")
    }

    /// Takes `xmin:xmax:list` as PostgreSQL writes it, nil for anything else: PostgreSQL would refuse the statement.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let lowest = UInt64(parts[0]), let highest = UInt64(parts[1]), 0 < lowest,
            lowest <= highest, highest < UInt64(Int64.max)
        else { return nil }
        let running =
            parts[2].isEmpty ? [] : parts[2].split(separator: ",", omittingEmptySubsequences: false).map { UInt64($0) }
        var previous = lowest - 1
        for number in running {
            guard let number, previous < number, number < highest else { return nil }
            previous = number
        }
        self.text = text
    }

    /// Takes what the server sent.
    init(_ row: SQLRow, _ column: Int32) {
        text = row.text(column)
    }
}
