public import CloakroomStores

/// What every store of shared allowances must do, as a list of checks, as `StoreContract`.
public enum AllowanceContract {
    /// One check. Each needs an empty store of its own.
    public struct Check: Sendable, CustomStringConvertible {
        /// The requirement, as a sentence.
        public let description: String
        let body: @Sendable (any AllowanceStore, Advance) async throws -> Void

        /// Runs the check on an empty store.
        /// - Parameter advance: sets the clock of the store forward, or back. It stands still otherwise.
        /// - Throws: `StoreContract.Violation`, and the errors of the store and of `advance`.
        public func run(_ store: any AllowanceStore, advance: Advance) async throws {
            try await body(store, advance)
        }
    }

    /// Moves the clock of the store.
    public typealias Advance = @Sendable (_ seconds: Int64) async throws -> Void

    /// All checks.
    public static let checks = [
        Check(description: "an allowance has as many tries as it says, and time restores one after the other") {
            store, advance in
            for _ in 0..<2 { try await demand(store, [charge("a", of: 2)], nil) }
            try await demand(store, [charge("a", of: 2)], .init(index: 0, wait: .seconds(30)))
            try await advance(29)
            try await demand(store, [charge("a", of: 2)], .init(index: 0, wait: .seconds(1)))
            try await advance(1)
            try await demand(store, [charge("a", of: 2)], nil)
            try await demand(store, [charge("a", of: 2)], .init(index: 0, wait: .seconds(30)))
            try await advance(3600)
            for _ in 0..<2 { try await demand(store, [charge("a", of: 2)], nil) }
            try await demand(store, [charge("a", of: 2)], .init(index: 0, wait: .seconds(30)))
        },
        Check(description: "a number of tries that does not divide the interval fits exactly") { store, _ in
            for tries in [7, 13, 300] {
                let charges = (0..<tries + 5).map { _ in [charge("\(tries)", of: Double(tries))] }
                let charged = try await store.charge(charges).count { (try? $0.get()) != nil }
                try StoreContract.demand(charged == tries, "\(charged) instead of \(tries)")
            }
        },
        Check(description: "a try takes from all allowances or from none, and the one that lacks most is named") {
            store, _ in
            try await demand(store, [charge("a", of: 1)], nil)
            for _ in 0..<2 { try await demand(store, [charge("b", of: 2)], nil) }
            try await demand(
                store, [charge("c", of: 1), charge("b", of: 2), charge("a", of: 1)], .init(index: 2, wait: .seconds(60))
            )
            try await demand(store, [charge("c", of: 1)], nil)
        },
        Check(description: "tries of one call are charged each by itself, in their order") { store, _ in
            let tries = [[charge("a", of: 1)], [charge("a", of: 1), charge("b", of: 1)], [charge("b", of: 1)], []]
            let answers = try await store.charge(tries).map { try? $0.get().charges }
            try StoreContract.demand(answers == [tries[0], nil, tries[2], []], "\(answers)")
        },
        Check(description: "what is given back can be taken again, without what time has restored") { store, advance in
            let receipts = try await taken(store, [charge("a", of: 1), charge("b", of: 1)])
            try await store.giveBack(receipts)
            try await demand(store, [charge("a", of: 1)], nil)
            let late = try await taken(store, [charge("b", of: 1)])
            try await advance(60)
            try await demand(store, [charge("b", of: 1)], nil)
            try await store.giveBack(late)
            try await demand(store, [charge("b", of: 1)], .init(index: 0, wait: .seconds(60)))
        },
        Check(description: "to give back what the store has forgotten, or nothing, changes nothing") { store, _ in
            let unknown = AllowanceReceipt(charges: [charge("a", of: 1)], time: .zero)
            try await store.giveBack([unknown, AllowanceReceipt(charges: [], time: .zero)])
            try await store.giveBack([])
            try await demand(store, [charge("a", of: 1)], nil)
            try StoreContract.demand(try await refused(store, [charge("a", of: 1)]), "twice")
        },
        Check(description: "a clock that is set back restores nothing, and a whole allowance is the most that is spent")
        {
            store, advance in
            for _ in 0..<2 { try await demand(store, [charge("a", of: 2)], nil) }
            try await advance(-3600)
            try await demand(store, [charge("a", of: 2)], .init(index: 0, wait: .seconds(30)))
            try await demand(store, [charge("b", of: 2)], nil)
        },
        Check(description: "of many tries at once as many are charged as fit, in whatever order they name allowances") {
            store, _ in
            let (one, other) = (charge("a", of: 20), charge("b", of: 200))
            let charged = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<60 {
                    let charges = number % 2 == 0 ? [one, other] : [other, one]
                    group.addTask { try await !refused(store, charges) }
                }
                return try await group.reduce(into: 0) { count, isCharged in count += isCharged ? 1 : 0 }
            }
            try StoreContract.demand(charged == 20, "\(charged)")
            let rest = try await store.charge((0..<200).map { _ in [other] }).count { (try? $0.get()) != nil }
            try StoreContract.demand(rest == 180, "\(rest) were left of the other")
        },
    ]

    /// An allowance of so many tries a minute.
    package static func charge(_ name: String, of tries: Double) -> AllowanceCharge {
        AllowanceCharge(name: Array(name.utf8), tries: tries, interval: .seconds(60))
    }

    private static func taken(
        _ store: any AllowanceStore, _ charges: [AllowanceCharge]
    ) async throws -> [AllowanceReceipt] {
        try await store.charge([charges]).map { try $0.get() }
    }

    private static func refused(_ store: any AllowanceStore, _ charges: [AllowanceCharge]) async throws -> Bool {
        try await store.charge([charges]).contains { (try? $0.get()) == nil }
    }

    private static func demand(
        _ store: any AllowanceStore, _ charges: [AllowanceCharge], _ expected: AllowanceShortage?
    ) async throws {
        let answers = try await store.charge([charges]).map { answer -> AllowanceShortage? in
            if case .failure(let shortage) = answer { shortage } else { nil }
        }
        try StoreContract.demand(answers == [expected], "\(answers) instead of \(String(describing: expected))")
    }
}
