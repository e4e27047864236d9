import Glibc

/// A blocking connection to a port of this machine.
struct Connection: ~Copyable {
    /// The timeout of each socket operation, so that a dead server does not block a run.
    private static let patience = timeval(tv_sec: 10, tv_usec: 0)

    private let descriptor: Int32

    init(port: UInt16) throws(Broken) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Broken.refused }
        set(SO_RCVTIMEO, of: SOL_SOCKET, to: Self.patience)
        set(SO_SNDTIMEO, of: SOL_SOCKET, to: Self.patience)
        set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: Int32(1))
        guard connect(to: port) else { throw Broken.refused }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func send(_ bytes: [UInt8]) throws(Broken) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                Glibc.send(
                    descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Broken.closed }
            sent += count
        }
    }

    /// - Returns: the number of received bytes; 0 when the server has closed the connection.
    func receive(into buffer: inout [UInt8], from start: Int) throws(Broken) -> Int {
        let count = buffer.withUnsafeMutableBytes { bytes in
            recv(descriptor, bytes.baseAddress?.advanced(by: start), bytes.count - start, 0)
        }
        if count >= 0 { return count }
        throw errno == EAGAIN ? Broken.late : Broken.closed
    }

    private func connect(to port: UInt16) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private func set<Value>(_ option: Int32, of level: Int32, to value: Value) {
        withUnsafeBytes(of: value) {
            _ = setsockopt(descriptor, level, option, $0.baseAddress, socklen_t($0.count))
        }
    }
}

/// How a connection fails.
enum Broken: Error {
    case refused
    case closed
    /// No response within the timeout.
    case late
    /// Not HTTP.
    case garbled
}
