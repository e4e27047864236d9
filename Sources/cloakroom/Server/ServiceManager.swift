import Foundation

/// The service manager that started this process: systemd, with `Type=notify` in the unit (`sd_notify(3)`).
struct ServiceManager: Sendable {
    private let path: String

    /// - Returns: nil without a usable `NOTIFY_SOCKET`: the process runs at a terminal or in a container.
    init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@"),
            1...107 ~= path.utf8.count
        else { return nil }
        self.path = path
    }

    /// Reports that every listener accepts connections. A failure is ignored: systemd then stops the service when the
    /// start takes too long.
    func reportReady() {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { name in
            name.copyBytes(from: path.utf8)
            // systemd writes `@` for the NUL with which the name of an abstract socket begins.
            if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        }
        // The length decides where an abstract name ends.
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + path.utf8.count } ?? 0
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                _ = "READY=1".withCString {
                    sendto(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL), name, socklen_t(length))
                }
            }
        }
    }
}
