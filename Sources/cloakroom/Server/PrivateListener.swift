import Foundation
import Hummingbird

/// Where proxies, scrapers and backends connect.
struct PrivateListener: Sendable {
    enum Address: Sendable {
        case network(host: String, port: Int)
        case unixSocket(path: String)

        /// `HOST:PORT`, `[IPv6]:PORT`, `unix:PATH`, or `off`, which is nil.
        static func parse(_ text: String) -> Self?? {
            if text == "off" { return .some(nil) }
            if text.hasPrefix("unix:") {
                let path = String(text.dropFirst("unix:".count))
                // As much as fits into a sockaddr_un.
                return 1...107 ~= path.utf8.count ? .unixSocket(path: path) : nil
            }
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                0...65535 ~= port, colon > text.startIndex
            else { return nil }
            let host = String(text[..<colon])
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            return bare.isEmpty ? nil : .network(host: bare, port: port)
        }
    }

    let address: Address
    /// nil for the process's own.
    let socketGroup: String?

    /// As it was written; nil for a Unix socket.
    var host: String? {
        switch address {
        case .network(let host, _): host
        case .unixSocket: nil
        }
    }

    var bindAddress: BindAddress {
        switch address {
        case .network(let host, let port): .hostname(host, port: port)
        case .unixSocket(let path): .unixDomainSocket(path: path)
        }
    }

    /// As the start's second line says it.
    /// - Parameter port: the one that was bound.
    func description(port: Int?) -> String {
        switch address {
        case .network(let host, let wanted):
            "http://\(host.contains(":") ? "[\(host)]" : host):\(port ?? wanted)"
        case .unixSocket(let path):
            "unix:\(path)"
        }
    }

    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// Lets the group use the socket, and no other users: a process that can connect is sent tokens.
    func restrictSocket() throws {
        guard case .unixSocket(let path) = address else { return }
        if let socketGroup {
            guard let entry = getgrnam(socketGroup) else {
                throw Unusable(description: "privateSocketGroup: there is no group \(socketGroup)")
            }
            guard chown(path, uid_t.max, entry.pointee.gr_gid) == 0 else {
                throw Unusable(description: "\(path) cannot be given to the group \(socketGroup)")
            }
        }
        guard chmod(path, 0o660) == 0 else { throw Unusable(description: "\(path) cannot be restricted") }
    }

    /// Binding replaces what is there: it must be the socket of a server that has ended.
    func checkSocketIsFree() throws {
        guard case .unixSocket(let path) = address else { return }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Unusable(description: "\(path) is there already, and is no socket")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let connected = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected != 0 else { throw Unusable(description: "another server listens on \(path)") }
    }
}
