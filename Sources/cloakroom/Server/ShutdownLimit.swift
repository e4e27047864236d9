import Foundation
import ServiceLifecycle

/// Ends the process when requests in flight take too long after a signal to stop. What was acknowledged is on disk.
///
/// The service group would cancel its tasks instead. NIO ends the process with a signal if a task is cancelled while a
/// connection waits to be accepted (apple/swift-nio#3481), and password hashes do not notice a cancellation.
struct ShutdownLimit: Service {
    let patience: Duration

    func run() async throws {
        try? await gracefulShutdown()
        // A thread of its own: the threads of tasks may all be busy with what takes too long.
        let thread = Thread {
            Thread.sleep(forTimeInterval: patience / .seconds(1))
            let limit = patience.components.seconds
            Terminal.complain("requests were cut off: they took longer than \(limit) s after the signal")
            // Without exit handlers, which would wait for other threads.
            _exit(EXIT_SUCCESS)
        }
        thread.start()
    }
}
