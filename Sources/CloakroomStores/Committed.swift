public import CloakroomCore

/// What a pure decision came to, and which events belong to it.
public struct Decided<Value: Sendable>: Sendable {
    /// What was decided.
    public var value: Value
    /// Its events.
    public var events: [SecurityEvent]

    /// A decision with its events.
    public init(_ value: Value, recording events: [SecurityEvent] = []) {
        self.value = value
        self.events = events
    }
}

/// What a store has saved. The value comes out by `publish` alone, so that no caller forgets to log the events or to
/// announce the revocations.
public struct Committed<Value: Sendable>: Sendable {
    private let value: Value
    /// What is on record now, and events that are only logged.
    public let events: [SecurityEvent]
    /// The sessions that were ended by it.
    public let revoked: [Revoked]

    /// What a store has saved.
    public init(_ value: Value, events: [SecurityEvent] = [], revoked: [Revoked] = []) {
        self.value = value
        self.events = events
        self.revoked = revoked
    }

    /// Hands over what is to be logged and announced, and then returns the value.
    @discardableResult
    public func publish(_ body: (_ events: [SecurityEvent], _ revoked: [Revoked]) -> Void) -> Value {
        body(events, revoked)
        return value
    }
}
