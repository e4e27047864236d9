public import CloakroomCore

/// The result of a pure decision, and the events to record with it.
public struct Decided<Value: Sendable>: Sendable {
    /// The result.
    public var value: Value
    /// The events that the store records in the same transaction.
    public var events: [SecurityEvent]

    package init(_ value: Value, recording events: [SecurityEvent] = []) {
        self.value = value
        self.events = events
    }
}

/// The result of a write that a store has committed. Only `publish` returns the value, so that no caller forgets to
/// log the events or to announce the revocations.
public struct Committed<Value: Sendable>: Sendable {
    private let value: Value
    /// The recorded events, and events that are only logged.
    public let events: [SecurityEvent]
    /// The sessions that the write ended.
    public let revoked: [Revoked]

    /// For stores: takes the value, the events and the revocations of a committed write.
    public init(_ value: Value, events: [SecurityEvent] = [], revoked: [Revoked] = []) {
        self.value = value
        self.events = events
        self.revoked = revoked
    }

    /// Calls `body` with the events to log and the revocations to announce, then returns the value.
    @discardableResult
    public func publish(_ body: (_ events: [SecurityEvent], _ revoked: [Revoked]) -> Void) -> Value {
        body(events, revoked)
        return value
    }
}
