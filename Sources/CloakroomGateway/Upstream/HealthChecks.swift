import CloakroomMiddleware
package import Logging
import NIOCore
import NIOPosix

/// Asks the backends whose rules name a health path every two seconds. A backend that accepts connections and answers
/// errors would otherwise get its share of the requests.
package struct HealthChecks: Sendable {
    private let checks: Set<HealthCheck>
    private let health: UpstreamHealth
    private let connector: UpstreamConnector
    private let logger: Logger

    private static let interval = Duration.seconds(2)

    /// - Parameter securing: adds TLS to a connection to a backend.
    package init(
        _ routes: RouteTable, health: UpstreamHealth, securing: @escaping UpstreamConnector.Securing, logger: Logger
    ) {
        checks = Set(
            routes.routes.flatMap { route in
                route.upstream.healthPath.map { path in
                    route.upstream.addresses.map { HealthCheck(address: $0, path: path) }
                } ?? []
            })
        self.health = health
        self.logger = logger
        connector = UpstreamConnector(
            own: { loop, _ in loop.makeFailedFuture(ChannelError.operationUnsupported) }, secure: securing,
            budget: UpstreamBudget(maximum: 0))
    }

    /// Asks until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await withTaskGroup(of: Void.self) { group in
                for check in checks { group.addTask { await look(check) } }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func look(_ check: HealthCheck) async {
        let status = await ask(check)
        let isHealthy = status.map { 200...399 ~= $0 } ?? false
        guard health.checked(check, isHealthy: isHealthy) else { return }
        let metadata: Logger.Metadata = [
            "upstream": "\(check.address)", "path": "\(check.path)", "status": "\(status.map(String.init) ?? "none")",
        ]
        if isHealthy {
            logger.notice("a backend is healthy again", metadata: metadata)
        } else {
            logger.warning("a backend failed its health check and gets no requests", metadata: metadata)
        }
    }

    /// The status of the answer; nil without one.
    private func ask(_ check: HealthCheck) async -> Int? {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: Int.self)
        let request = "GET \(check.path) HTTP/1.1\r\nHost: \(check.address.authority)\r\nConnection: close\r\n\r\n"
        connector.connect(check.address, on: loop) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(HealthProbe(request, answer))
            }
        }
        .whenFailure { answer.fail($0) }
        return try? await answer.futureResult.get()
    }
}

extension UpstreamAddress {
    fileprivate var authority: String {
        switch socket {
        case .network(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix: "localhost"
        }
    }
}

/// Sends one request, and reads the status of its response.
private final class HealthProbe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private let answer: EventLoopPromise<Int>
    private var received = ByteBuffer()
    private var end = HeadEnd()

    private static let deadline = TimeAmount.seconds(2)

    init(_ request: String, _ answer: EventLoopPromise<Int>) {
        self.request = request
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.deadline) { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        let length = try? received.withUnsafeReadableBytes { bytes throws(MalformedHead) in try end.find(in: bytes) }
        guard let length, let head = received.getSlice(at: received.readerIndex, length: length) else {
            if received.readableBytes > 65536 { context.close(promise: nil) }
            return
        }
        if let status = try? ResponseHead(head).status { answer.succeed(status) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(ChannelError.eof)
    }
}
