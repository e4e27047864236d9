import CloakroomCore
import CloakroomSessions
import CloakroomStores

extension AccountService {
    /// Counts and records a request that a limit refused.
    /// - Returns: the denial for the response.
    func refuse(
        _ refusal: Refusal, _ kind: SecurityEvent.Kind, _ subject: Subject?, from device: Device
    ) async -> Denial {
        publisher.log.count(kind)
        let event = SecurityEvent(kind, at: now, subject: subject, address: device.address)
        if let due = refusals.count(event, of: refusal.payer, at: environment.uptime()) { await recordCounted([due]) }
        return refusal.denial
    }

    /// Records the refusals that were counted since the last entries, every minute until the task is cancelled, and
    /// all that are left then.
    package func recordRefusals() async {
        while (try? await Task.sleep(for: RefusalTally.interval)) != nil { await recordDueRefusals() }
        // In a new task: this one is cancelled, so the store would refuse to write.
        await Task { await recordCounted(refusals.rest()) }.value
    }

    func recordDueRefusals() async {
        await recordCounted(refusals.due(at: environment.uptime()))
    }

    /// Writes the events to the store and the log. A failed write is ignored, because the response must not depend on
    /// the disk. The counter was already incremented for each event, so only the log lines are written here.
    private func recordCounted(_ events: [SecurityEvent]) async {
        for event in events {
            // One at a time: they are of several subjects, which a distributed database keeps apart.
            _ = try? await store.record([event])
            publisher.log.describe(event)
        }
    }
}
