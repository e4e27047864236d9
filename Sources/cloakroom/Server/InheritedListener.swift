import CloakroomCore
import CloakroomTokens
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Makes what serves a connection, from what answers its requests.
typealias ChannelBuilder =
    @Sendable (@escaping HTTPChannelHandler.Responder) throws -> any ServerChildChannel

/// Serves connections of a socket that is listening already. The framework's server binds its sockets by itself.
struct InheritedListener<Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let socket: CInt
    let responder: Responder
    let channels: ChannelBuilder
    let cap: ConnectionCap
    let now: @Sendable () -> Instant
    let logger: Logger
    let onRunning: @Sendable (any Channel) async -> Void

    func run() async throws {
        try await serve(by: channels(respond))
    }

    private func serve(by child: some ServerChildChannel) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let quiescing = ServerQuiescingHelper(group: group)
        let server = try await ServerBootstrap(group: group)
            .serverChannelInitializer { [cap] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(AvailableConnectionsChannelHandler(delegate: cap))
                    try pipeline.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(socket) { [logger] in child.setup(channel: $0, logger: logger) }
        logger.info("Server started and listening on an inherited socket")
        try await withGracefulShutdownHandler {
            await onRunning(server.channel)
            try await accept(server, child)
        } onGracefulShutdown: {
            Self.stop(server.channel, quiescing)
        }
    }

    /// Stops accepting, and a moment later ends idle connections. A connection that was just accepted looks idle until its
    /// first request arrives; to close it then would lose the request, which the next process would have served.
    private static func stop(_ server: any Channel, _ quiescing: ServerQuiescingHelper) {
        server.setOption(.autoRead, value: false).whenComplete { _ in
            server.eventLoop.scheduleTask(in: .milliseconds(300)) { quiescing.initiateShutdown(promise: nil) }
        }
    }

    /// Accepts until the server channel is closed, and waits for the connections.
    private func accept<Child: ServerChildChannel>(
        _ server: NIOAsyncChannel<Child.Value, Never>, _ child: Child
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { [logger] in await child.handle(value: connection, logger: logger) }
                }
            }
        }
    }

    /// Answers a request as the framework's `Application` does.
    private func respond(
        to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
    ) async throws {
        var logger = logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        let context = Responder.Context(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        var response: Response
        do {
            response = try await responder.respond(to: request, context: context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            response = Response(status: .internalServerError)
        }
        response.headers[.date] = now().httpDate
        try await writer.write(response: response.head, body: response.body)
    }
}
