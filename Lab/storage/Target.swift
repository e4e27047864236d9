import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles
import CloakroomMiddleware
import CloakroomSQLite
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// The bank with one storage choice, on a port of its own.
final class Target: Sendable {
    let storage: StorageChoice
    let bank = Bank()
    let pages = PagesByHost()
    let log = RequestLog()
    let server: LocalServer
    /// nil for a tutorial's server.
    let proxies: PrivateListener?
    private let maintenance: Task<Void, Never>?
    private let directory: String?

    /// Seconds until an access token expires: short, so that a run takes minutes.
    static let accessTokenLife = 2.0
    /// How old an authentication may be for a change of the limit, where step-up is demanded.
    static let freshness = Span.seconds(1)

    /// - Parameter accessTokenLife: seconds.
    init(_ storage: StorageChoice, accessTokenLife: Double = accessTokenLife) async throws {
        self.storage = storage
        let router = Router(context: BasicSessionRequestContext.self)
        router.add(middleware: LoggingMiddleware(log: log))
        if let delivery = storage.delivery {
            if storage.checksFetchMetadata { router.add(middleware: FetchMetadataPolicy()) }
            TutorialRoutes(
                bank: bank, pages: pages, delivery: delivery, accessTokenLife: accessTokenLife
            ).add(to: router, storage)
            (maintenance, directory, proxies) = (nil, nil, nil)
        } else {
            let path = FileManager.default.temporaryDirectory.appending(path: "cloakroom-lab-\(UUID())").path
            let (authorization, store) = try Self.cloakroom(path, accessTokenLife)
            router.addCloakroom(authorization)
            Self.protect(bank, pages, storage, store, now: authorization.now, router)
            (maintenance, directory) = (Task { await authorization.maintain() }, path)
            proxies = try await PrivateListener(authorization)
        }
        // Not with `.publicListener`, which answers a WebSocket handshake as a plain request: some attacks need a WebSocket.
        server = try await LocalServer(router)
    }

    func end() {
        maintenance?.cancel()
        server.end()
        proxies?.end()
        if let directory { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// Makes an account at the bank and, where the bank uses Cloakroom, there as well.
    /// - Parameter host: the bank's host in the URL of the sign-up.
    func open(_ email: String, password: String, host: String) async throws -> Bank.Account {
        let account = bank.open(email, password: password)
        guard storage.isOurs else { return account }
        let body: JSONValue = ["email": .string(email), "password": .string(password)]
        let address = "\(host):\(server.port)"
        let reply = try await LocalHTTP.send(
            "POST", port: server.port, "/auth/signup",
            headers: [("Host", address), ("Origin", "http://\(address)"), ("Content-Type", "application/json")],
            body: body.serialized)
        guard reply.status == 201 else { throw LabError("sign-up: \(reply.status) \(reply.text)") }
        return account
    }

    private static func cloakroom(
        _ path: String, _ accessTokenLife: Double
    ) throws -> (AuthorizationServer, any AccountStore) {
        let data = try DataDirectory(path)
        var configuration = AuthorizationServer.Configuration()
        configuration.isSignUpOpen = true
        configuration.failedLoginsPerMinute = nil
        configuration.signUpsPerHour = nil
        configuration.serviceWorkers = ["/offline.js"]
        configuration.policy.accessTokenLifetime = Span(milliseconds: Int64(accessTokenLife * 1000))
        configuration.policy.stragglerWindow = .seconds(1)
        var quiet = Logger(label: "cloakroom.lab")
        quiet.logLevel = .critical
        let store = try SQLiteStore(path: data.file("cloakroom.sqlite"))
        let server = try AuthorizationServer(
            store: store, keys: KeyFiles(directory: data), configuration: configuration, logger: quiet)
        return (server, store)
    }

    /// Adds the bank's routes, protected by Cloakroom. The account is found by the session's subject.
    private static func protect(
        _ bank: Bank, _ pages: PagesByHost, _ storage: StorageChoice, _ store: any AccountStore,
        now: @escaping @Sendable () -> Instant, _ router: Router<BasicSessionRequestContext>
    ) {
        BankRoutes(
            bank: bank, pages: pages,
            whose: { _, context in
                let subject = try context.access.subject
                guard let account = try await store.account(subject) else { throw HTTPError(.unauthorized) }
                return account.email.rawValue
            },
            checkFresh: { context in
                guard storage == .cloakroomStepUp else { return }
                _ = try context.access(requiring: StepUp(maximumAge: freshness), at: now())
            }
        ).add(to: router, client: storage.client)
    }
}
