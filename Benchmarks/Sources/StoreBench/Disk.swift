import Foundation

enum Disk {
    /// The number of durable 4 KiB writes per second on this disk: figures about renewals mean nothing without it.
    static func flushes(in directory: String, seconds: Double) throws -> Double {
        let path = "\(directory)/flushes"
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw Missing() }
        defer {
            close(descriptor)
            unlink(path)
        }
        let page = [UInt8](repeating: 7, count: 4096)
        let began = ContinuousClock.now
        var count = 0
        while ContinuousClock.now < began + .seconds(seconds) {
            pwrite(descriptor, page, page.count, off_t(count % 1000 * page.count))
            fdatasync(descriptor)
            count += 1
        }
        return Double(count) / began.duration(to: .now).seconds
    }
}
