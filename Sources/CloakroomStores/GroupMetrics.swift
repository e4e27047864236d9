import Metrics

/// What operators see of a queue of writes.
struct GroupMetrics: Sendable {
    private let groups: Counter
    private let members: Counter
    private let repeated: Counter
    private let refused: Counter
    private let waiting: Gauge
    private let duration: Timer

    /// - Parameter queue: the label `queue` of all of them.
    init(_ queue: String) {
        let labels = [("queue", queue)]
        groups = Counter(label: "cloakroom_store_groups_total", dimensions: labels)
        members = Counter(label: "cloakroom_store_members_total", dimensions: labels)
        repeated = Counter(label: "cloakroom_store_repeated_total", dimensions: labels)
        refused = Counter(label: "cloakroom_store_refused_total", dimensions: labels)
        waiting = Gauge(label: "cloakroom_store_waiting", dimensions: labels)
        duration = Timer(label: "cloakroom_store_group_duration_seconds", dimensions: labels)
    }

    /// A member was added to the queue, which has `count` of them now.
    func wait(_ count: Int) {
        waiting.record(count)
    }

    /// A group of `count` members was taken, and left `left` of them in the queue.
    func take(_ count: Int, leaving left: Int) {
        groups.increment()
        members.increment(by: Int64(count))
        waiting.record(left)
    }

    /// A group was carried out, with members that run again.
    func end(after time: Duration, again count: Int) {
        duration.record(duration: time)
        if count > 0 { repeated.increment(by: Int64(count)) }
    }

    /// Members were refused: the queue was full, or they had waited too long.
    func refuse(_ count: Int) {
        if count > 0 { refused.increment(by: Int64(count)) }
    }
}
