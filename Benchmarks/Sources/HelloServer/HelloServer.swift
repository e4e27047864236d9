import Hummingbird
import Logging

/// The framework with minimal routes: the base of the report's ratios.
@main
struct HelloServer {
    static func main() async throws {
        let router = Router()
        router.get("/hello") { _, _ in "hello" }
        var logger = Logger(label: "hello")
        logger.logLevel = .error
        let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8090
        try await Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger
        ).runService()
    }
}
