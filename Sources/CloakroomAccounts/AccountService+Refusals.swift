import CloakroomCore
import CloakroomSessions
import CloakroomStores

extension AccountService {
    /// Counts and records a refusal by a limit.
    /// - Returns: what to answer.
    func refuse(
        _ refusal: Refusal, _ kind: SecurityEvent.Kind, _ subject: Subject?, from device: Device
    ) async -> Denial {
        publisher.log.count(kind)
        let event = SecurityEvent(kind, at: now, subject: subject, address: device.address)
        if let due = refusals.count(event, of: refusal.payer, at: environment.uptime()) { await recordCounted([due]) }
        return refusal.denial
    }

    /// Records the refusals that were counted since the last entries, every minute, until the task is cancelled, and once
    /// more then.
    package func recordRefusals() async {
        while (try? await Task.sleep(for: RefusalTally.interval)) != nil { await recordDueRefusals() }
        // In a task of its own: in this one, which is cancelled, the store would refuse.
        await Task { await recordDueRefusals() }.value
    }

    func recordDueRefusals() async {
        await recordCounted(refusals.due(at: environment.uptime()))
    }

    /// Answers do not depend on whether the disk takes the record. The events were counted one by one: here they are only
    /// described.
    private func recordCounted(_ events: [SecurityEvent]) async {
        guard !events.isEmpty else { return }
        _ = try? await store.record(events)
        events.forEach(publisher.log.describe)
    }
}
