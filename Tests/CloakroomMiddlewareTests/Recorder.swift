import Synchronization

/// What happened, in order: shared between a test and what it watches.
final class Recorder: Sendable {
    private let list = Mutex<[String]>([])

    var values: [String] { list.withLock { $0 } }

    func append(_ value: String) { list.withLock { $0.append(value) } }
}
