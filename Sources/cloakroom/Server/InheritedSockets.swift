import Foundation

/// The listening sockets that the service manager has opened (`sd_listen_fds(3)`). They stay open while the server restarts:
/// the kernel keeps new connections waiting, and the next process accepts them.
struct InheritedSockets: Sendable {
    /// For browsers.
    let publicSocket: CInt?
    let privateSocket: CInt?
    /// Their addresses as the settings that they stand for, so that the rules for those settings apply.
    let settings: [SettingKey: String]

    private static let first: CInt = 3

    /// Takes the sockets over from the environment of the process, and removes them from it.
    /// - Throws: `SettingsError` for descriptors that are no listening sockets named `public` or `private`.
    static func take() throws -> InheritedSockets {
        let environment = ProcessInfo.processInfo.environment
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        // A child process that has inherited the variables from its parent is not meant.
        guard environment["LISTEN_PID"] == "\(getpid())", let count = environment["LISTEN_FDS"].flatMap({ CInt($0) }),
            count > 0
        else { return InheritedSockets(publicSocket: nil, privateSocket: nil, settings: [:]) }
        let names = environment["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        guard names.count == count, Set(names).count == count, names.allSatisfy({ $0 == "public" || $0 == "private" })
        else {
            throw unusable(
                "expected one named public, one named private, or both (FileDescriptorName=), got "
                    + (names.isEmpty ? "no names" : names.joined(separator: ", ")))
        }
        let sockets = Dictionary(uniqueKeysWithValues: zip(names.map(String.init), first...))
        return try InheritedSockets(public: sockets["public"], private: sockets["private"])
    }

    private init(public publicSocket: CInt?, private privateSocket: CInt?) throws {
        var settings: [SettingKey: String] = [:]
        if let publicSocket {
            guard case .network(let host, let port) = try Self.address(of: publicSocket, "public") else {
                throw Self.unusable("the one named public must have a port")
            }
            (settings["host"], settings["port"]) = (host, "\(port)")
        }
        if let privateSocket {
            let address = try Self.address(of: privateSocket, "private")
            if case .unixSocket(let path) = address { try Self.checkMode(of: path) }
            settings["privateListen"] = "\(address)"
        }
        self.init(publicSocket: publicSocket, privateSocket: privateSocket, settings: settings)
    }

    private init(publicSocket: CInt?, privateSocket: CInt?, settings: [SettingKey: String]) {
        self.publicSocket = publicSocket
        self.privateSocket = privateSocket
        self.settings = settings
    }

    private static func unusable(_ problem: String) -> SettingsError {
        SettingsError(place: "inherited sockets", problem: problem)
    }

    private static func address(of socket: CInt, _ name: String) throws -> PrivateListener.Address {
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        var (isListening, size): (CInt, socklen_t) = (0, socklen_t(MemoryLayout<CInt>.size))
        guard getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening != 0 else {
            throw unusable("the one named \(name) is not a listening socket (Accept=no)")
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let address = withUnsafeMutableBytes(of: &storage) { bytes -> PrivateListener.Address? in
            guard let base = bytes.baseAddress,
                getsockname(socket, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
            else { return nil }
            return Self.address(UnsafeRawBufferPointer(rebasing: bytes[..<Int(length)]))
        }
        guard let address else {
            throw unusable("the one named \(name) has no address of IPv4, IPv6 or a file")
        }
        return address
    }

    private static func address(_ bytes: UnsafeRawBufferPointer) -> PrivateListener.Address? {
        switch CInt(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let name = bytes.loadUnaligned(as: sockaddr_in.self)
            return withUnsafePointer(to: name.sin_addr) { text(AF_INET, $0) }
                .map { .network(host: $0, port: Int(UInt16(bigEndian: name.sin_port))) }
        case AF_INET6:
            let name = bytes.loadUnaligned(as: sockaddr_in6.self)
            return withUnsafePointer(to: name.sin6_addr) { text(AF_INET6, $0) }
                .map { .network(host: $0, port: Int(UInt16(bigEndian: name.sin6_port))) }
        case AF_UNIX:
            let path = bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
            return PrivateListener.Address(parsing: "unix:\(String(decoding: path, as: UTF8.self))")
        default: return nil
        }
    }

    private static func text(_ family: CInt, _ address: UnsafeRawPointer) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        return inet_ntop(family, address, &buffer, socklen_t(buffer.count)).map { String(cString: $0) }
    }

    /// The responses to a connected peer contain tokens. systemd's default is a socket for every user.
    private static func checkMode(of path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o007 == 0 else {
            throw unusable("every user can connect to the one named private, \(path); set SocketMode=0660")
        }
    }
}
