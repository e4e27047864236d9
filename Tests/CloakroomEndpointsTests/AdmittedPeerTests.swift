import CloakroomCore
import CloakroomMiddleware
import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOEmbedded
import Testing

@testable import CloakroomEndpoints

/// The peers that the private listener accepts.
@Suite struct AdmittedPeerTests {
    /// The address of a peer: `unix` for the Unix socket, nil for an unknown address.
    static let peers: [(peer: String?, byDefault: Bool, trusting: Bool)] = [
        ("127.0.0.1", true, true), ("127.8.8.8", true, true), ("::1", true, true), ("::ffff:127.0.0.1", true, true),
        ("unix", true, true), ("10.1.2.3", false, true), ("::ffff:10.1.2.3", false, true), ("2001:db8::7", false, true),
        ("11.0.0.1", false, false), ("192.0.2.1", false, false), ("::ffff:192.0.2.1", false, false),
        ("2001:db9::1", false, false), ("::2", false, false), ("0.0.0.0", false, false), ("::", false, false),
        ("fe80::1", false, false), (nil, false, false),
    ]

    @Test("loopback, the Unix socket and the trusted proxies are admitted, and no other peer", arguments: peers)
    func admitted(_ row: (peer: String?, byDefault: Bool, trusting: Bool)) throws {
        let channel = EmbeddedChannel()
        switch row.peer {
        case "unix": channel.localAddress = try SocketAddress(unixDomainSocketPath: "/run/cloakroom/private.sock")
        case let address?:
            channel.localAddress = try SocketAddress(ipAddress: "192.0.2.9", port: 8081)
            channel.remoteAddress = try SocketAddress(ipAddress: address, port: 4711)
        case nil: break
        }
        let proxies = TrustedProxies(["10.0.0.0/8", "2001:db8::/32"].compactMap { AddressRange(parsing: $0) })
        #expect((AdmittedPeer.admit(channel, trusting: .none) != nil) == row.byDefault)
        #expect((AdmittedPeer.admit(channel, trusting: proxies) != nil) == row.trusting)
    }

    @Test("a check over the Unix socket is answered")
    func unixSocket() async throws {
        let server = try TestServer()
        let ann = try await LoggedIn(server)
        let path = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID()).sock").path
        let listening = AsyncStream.makeStream(of: Void.self)
        let application = Application(
            router: server.privateRouter(), server: .privateListener(server.server),
            configuration: .init(address: .unixDomainSocket(path: path)),
            onServerRunning: { _ in listening.continuation.yield() })
        try await withThrowingTaskGroup { group in
            group.addTask { try await application.run() }
            for await _ in listening.stream { break }
            let answer = try await RawConnection(unixSocket: path).use { writer, reader in
                try await writer.write(ByteBuffer(string: ann.check()))
                return try await reader.answer()
            }
            #expect(answer?.status == 204 && answer?.header("X-Auth-Session") == ann.session.rawValue)
            group.cancelAll()
        }
    }

    @Test("private endpoints on another listener have no admitted peer, and are 404")
    func elsewhere() async throws {
        let server = try TestServer()
        let ann = try await LoggedIn(server)
        try await Application(router: server.privateRouter(), server: .publicListener(server.server)).test(.live) {
            client in
            let answers = try await RawConnection.send([ann.check()], port: try #require(client.port))
            #expect(answers.map(\.status) == [404])
            #expect(answers[0].header("Authorization") == nil)
        }
    }
}
