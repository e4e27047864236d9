import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Foundation
import Logging
import Testing

@testable import CloakroomSQLite
@_spi(Prover) @testable import CloakroomSessions
@testable import CloakroomStores

/// Logouts while the store takes no writes, because its directory was renamed.
@Suite struct OverdueLogoutTests {
    private let temporary: TemporaryDirectory
    private let time = TestEnvironment()
    private let store: SQLiteStore
    private let service: SessionService

    init() throws {
        temporary = try TemporaryDirectory()
        #expect(mkdir(temporary.file("data"), 0o700) == 0)
        store = try SQLiteStore(path: temporary.file("data/test.sqlite"))
        let keys = LiveKeys(try IssuerKeys.first(.ed25519, at: time.now, random: time.environment.random))
        let policy = SessionPolicy()
        service = SessionService(
            store: store, issuer: TokenIssuer(issuer: "iss", audience: "aud", keys: keys),
            verifier: TokenVerifier(
                issuer: "iss", audience: "aud", policy: policy, keys: keys.current.verifierKeys,
                revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime),
                checkRefresh: { half throws(TokenFault) in
                    try keys.current.read(refreshToken: half.bytes.bytes).session
                }),
            policy: policy,
            log: SecurityLog(logger: Logger(label: "test")), environment: time.environment)
    }

    private func loseDisk() { #expect(rename(temporary.file("data"), temporary.file("gone")) == 0) }
    private func findDisk() { #expect(rename(temporary.file("gone"), temporary.file("data")) == 0) }

    private func logIn() async throws -> RefreshToken {
        let proof = Proof(
            of: Subject("elsewhere"), by: Evidence(.password, at: time.now), login: nil, credentialVersion: nil)
        let grant = try await service.begin(
            proof, service.request(device: Device(userAgent: "Test/1.0", address: "192.0.2.1")))
        return try service.read(refreshToken: try #require(grant.tokens).refresh.bytes, at: .login)
    }

    private func refusal(of token: RefreshToken) async -> (any Error)? {
        do {
            _ = try await service.refresh(token, presenting: nil, from: .cookie)
            return nil
        } catch { return error }
    }

    @Test("a logout that cannot be written is enforced in memory at once, and written when the disk works again")
    func overdue() async throws {
        let token = try await logIn()
        loseDisk()
        #expect(try await service.logout(.refresh(token)) == .overdue)
        #expect(service.verifier.revocations.isRevoked(token.session))
        await service.retryOverdueLogouts()
        #expect(!service.overdue.all.isEmpty)
        findDisk()
        try await waitUntil { (try? await store.ping()) != nil }
        #expect(await refusal(of: token) as? Denial == .sessionRevoked, "also before the logout is written")
        await service.retryOverdueLogouts()
        #expect(service.overdue.all.isEmpty)
        #expect(try await store.session(token.session)?.revocation?.reason == .logout)
        #expect(try await store.revocations(after: nil).revoked.map(\.session) == [token.session])
    }

    @Test("the session stays refused while the disk fails, also after the view has dropped it")
    func forgotten() async throws {
        let token = try await logIn()
        loseDisk()
        #expect(try await service.logout(.refresh(token)) == .overdue)
        time.advance(.days(1))
        service.verifier.revocations.update([], at: time.uptime)
        await service.retryOverdueLogouts()
        #expect(service.verifier.revocations.isRevoked(token.session))
    }

    @Test("a token that is not genuine ends no session, also not in memory")
    func forged() async throws {
        let token = try await logIn()
        let other = try await store.session(token.session)
        let key = try #require(service.issuer.keys.current.refresh.first?.key)
        let foreign = Session(
            id: token.session, subject: try #require(other).subject, secret: Secret([UInt8](repeating: 1, count: 32)),
            refreshKey: key.id,
            details: Session.Details(
                client: .browser, remembered: false, userAgent: "",
                address: "", evidence: Evidence(.password, at: time.now)),
            at: time.now, under: service.policy)
        let forged = try service.read(refreshToken: service.issuer.refreshToken(for: foreign).bytes, at: .login)
        loseDisk()
        _ = try await service.logout(.refresh(forged))
        #expect(!service.verifier.revocations.isRevoked(token.session))
        #expect(service.overdue.all.isEmpty)
    }

    @Test("with a working disk a logout is durable, and none is overdue")
    func durable() async throws {
        let token = try await logIn()
        #expect(try await service.logout(.refresh(token)) == .durable)
        #expect(service.overdue.all.isEmpty)
        #expect(try await store.session(token.session)?.revocation?.reason == .logout)
    }

    /// A session of the shop that is handed over from that of the token.
    private func handOver(from token: RefreshToken) async throws -> (login: RefreshToken, shop: RefreshToken) {
        let shop = try #require(WebOrigin(parsing: "https://shop.example.com"))
        let flow = Secret([UInt8](repeating: 7, count: 32))
        let request = HandOverRequest(
            host: shop, flow: SessionService.digest(flow, startedAt: time.now), startedAt: time.now, returnTo: "/",
            isStepUp: false)
        let (answer, renewed) = try await service.handOver(request, by: token)
        guard case .code(let code) = answer else { throw Denial.notFound }
        let redeemed = try await service.redeem(
            .init(
                code: code, at: shop, flow: flow, holding: nil,
                from: Device(userAgent: "Test/1.0", address: "192.0.2.1")))
        guard case .begun(let grant, _) = redeemed else { throw Denial.notFound }
        return (
            try service.read(refreshToken: try #require(renewed).refresh.bytes, at: .login),
            try service.read(refreshToken: try #require(grant.tokens).refresh.bytes, at: .other("shop.example.com"))
        )
    }

    @Test("an overdue logout at one host is enforced at all hosts of the browser", arguments: [false, true])
    func everyHost(_ isAtShop: Bool) async throws {
        let (login, shop) = try await handOver(from: try await logIn())
        let (_, other) = try await handOver(from: login)
        let bystander = try await logIn()
        loseDisk()
        #expect(try await service.logout(.refresh(isAtShop ? shop : login)) == .overdue)
        for token in [login, shop, other] { #expect(service.verifier.revocations.isRevoked(token.session)) }
        findDisk()
        try await waitUntil { (try? await store.ping()) != nil }
        for token in [login, shop, other] { #expect(await refusal(of: token) as? Denial == .sessionRevoked) }
        #expect(await refusal(of: bystander) == nil)
        await service.retryOverdueLogouts()
        for token in [login, shop, other] { #expect(try await store.session(token.session)?.revocation != nil) }
    }

    @Test(
        "the cookie of a revoked session of a host logs nobody out, with and without a disk", arguments: [false, true])
    func endedChild(_ isDiskLost: Bool) async throws {
        let (login, shop) = try await handOver(from: try await logIn())
        _ = try await store.revoke(
            .id(shop.session), reason: .refreshTokenReused, at: time.now, after: nil, limit: 1)
        if isDiskLost { loseDisk() }
        _ = try await service.logout(.refresh(shop))
        #expect(!service.verifier.revocations.isRevoked(login.session) && service.overdue.all.isEmpty)
        if isDiskLost { findDisk() }
        #expect(try await store.session(login.session)?.revocation == nil)
    }
}
