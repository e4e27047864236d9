import Foundation
import Hummingbird

/// The address at which proxies, scrapers and backends connect.
struct PrivateListener: Sendable {
    enum Address: Hashable, Sendable, CustomStringConvertible {
        case network(host: String, port: Int)
        case unixSocket(path: String)

        /// - Parameter text: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`; nil for anything else.
        init?(parsing text: String) {
            if text.hasPrefix("unix:") {
                let path = String(text.dropFirst("unix:".count))
                // The longest path that fits into a `sockaddr_un`.
                guard 1...107 ~= path.utf8.count else { return nil }
                self = .unixSocket(path: path)
                return
            }
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                0...65535 ~= port, colon > text.startIndex
            else { return nil }
            let host = String(text[..<colon])
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            guard !bare.isEmpty else { return nil }
            self = .network(host: bare, port: port)
        }

        var description: String {
            switch self {
            case .network(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
            case .unixSocket(let path): "unix:\(path)"
            }
        }
    }

    let address: Address
    /// The group that may use the socket; nil for the group of the process.
    let socketGroup: String?

    /// The host as the setting has it; nil for a Unix socket.
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

    /// The address for the second line that the start prints.
    /// - Parameter port: the port that was bound.
    func description(port: Int?) -> String {
        switch address {
        case .network(let host, let wanted): "http://\(Address.network(host: host, port: port ?? wanted))"
        case .unixSocket: "\(address)"
        }
    }

    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// Allows only the owner and the group to use the socket: the responses to a connected peer contain tokens.
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

    /// Checks group and path before the server starts. Binding replaces the file at the path, so only the socket of a
    /// server that has ended may be there.
    /// - Throws: `SettingsError` for an unknown group, `Unusable` for a path that cannot be used.
    func checkSocket() throws {
        guard case .unixSocket(let path) = address else { return }
        if let socketGroup, getgrnam(socketGroup) == nil {
            throw SettingsError(
                place: "privateSocketGroup", problem: "expected a group of this machine, got \"\(socketGroup)\"")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Unusable(description: "\(path) exists and is not a socket")
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
