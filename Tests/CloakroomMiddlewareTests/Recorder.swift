import Synchronization

/// A log of events in order, shared between a test and the code under test.
final class Recorder: Sendable {
    private let list = Mutex<[String]>([])

    var values: [String] { list.withLock { $0 } }

    func append(_ value: String) { list.withLock { $0.append(value) } }
}
