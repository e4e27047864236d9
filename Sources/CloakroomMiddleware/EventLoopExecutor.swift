package import NIOCore

/// Runs tasks on the event loop of a connection.
///
/// A request then changes threads only for the disk: each change wakes a thread, which costs as much as a decision. What
/// runs here must not block, because the other connections of the event loop wait meanwhile.
package final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
