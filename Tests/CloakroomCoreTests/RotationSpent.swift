/// Which generations can still be in flight, by the walk's own account: a request of a later generation arrived, and one
/// window has closed since. No rule may serve such a generation.
struct RotationSpent: Hashable {
    private struct Arrival: Hashable {
        var generation: Int
        var mark: Int
    }

    /// The first requests of new generations, whose windows are open.
    private var arrivals: [Arrival] = []
    /// The newest generation of which a request arrived.
    private var newest = 0
    /// The oldest generation that can be in flight.
    private var oldest = 0

    var marks: [Int] { arrivals.map(\.mark) }
    var generations: [Int] { arrivals.map(\.generation) + [newest, oldest] }

    func contains(_ generation: Int) -> Bool { generation < oldest }

    mutating func note(_ generation: Int, at mark: Int) {
        guard generation > newest else { return }
        newest = generation
        arrivals.append(Arrival(generation: generation, mark: mark))
    }

    mutating func end(_ mark: Int) {
        for arrival in arrivals where arrival.mark == mark { oldest = max(oldest, arrival.generation) }
        arrivals.removeAll { $0.mark == mark }
    }

    mutating func renumber(_ place: (Int) -> Int) {
        for index in arrivals.indices { arrivals[index].mark = place(arrivals[index].mark) }
    }

    mutating func shift(_ place: (Int) -> Int) {
        newest = place(newest)
        oldest = place(oldest)
        for index in arrivals.indices { arrivals[index].generation = place(arrivals[index].generation) }
    }
}
