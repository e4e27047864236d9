import Synchronization

/// The current keys, replaced as a whole when their source changes.
package final class LiveKeys<Keys: Sendable>: Sendable {
    private let keys: Mutex<Keys>

    package init(_ keys: Keys) {
        self.keys = Mutex(keys)
    }

    package var current: Keys {
        keys.withLock { $0 }
    }

    package func replace(with newer: Keys) {
        keys.withLock { $0 = newer }
    }
}
