import CloakroomCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Testing

@testable import CloakroomMiddleware

@Suite struct DenialLogTests {
    /// Collects log lines.
    private struct Lines: LogHandler {
        let lines: Recorder
        var logLevel: Logger.Level
        var metadata = Logger.Metadata()
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let values = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.append("\(event.level) \(event.message) \(values.joined(separator: " "))")
        }
    }

    private func logger(_ level: Logger.Level, _ lines: Recorder) -> Logger {
        Logger(label: "test") { _ in Lines(lines: lines, logLevel: level) }
    }

    private func request(_ headers: HTTPFields) -> Request {
        Request(
            head: HTTPRequest(
                method: .post, scheme: "http", authority: "app.example", path: "/pay?token=secret",
                headerFields: headers),
            body: .init(buffer: .init()))
    }

    @Test("at level debug each refusal is logged with its code, without query and cookies")
    func debug() {
        let lines = Recorder()
        let log = DenialLog(logger: logger(.debug, lines))
        for _ in 0..<3 {
            log.write(
                .tokenInvalid, of: request([.cookie: "__Host-Http-session=value", .authorization: "Bearer value"]))
        }
        #expect(lines.values.count == 3 && lines.values.allSatisfy { $0.contains("code=token_invalid") })
        #expect(lines.values.allSatisfy { !$0.contains("value") && !$0.contains("secret") })
    }

    @Test("a log line has the id of a valid trace, and nothing of another header of that name")
    func trace() {
        let lines = Recorder()
        let log = DenialLog(logger: logger(.debug, lines))
        let name = HTTPField.Name.known("traceparent")
        log.write(.sessionMissing, of: request([name: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]))
        #expect(lines.values[0].contains(" trace_id=0af7651916cd43dd8448eb211c80319c"))
        log.write(.sessionMissing, of: request([name: "00-malformed-01"]))
        #expect(!lines.values[1].contains("trace_id") && !lines.values[1].contains("malformed"))
    }

    @Test("a log line has the fields that the listener adds, at every level")
    func describes() {
        let lines = Recorder()
        let log = DenialLog(logger: logger(.debug, lines), describe: { _ in ["original_path": "/notes"] })
        log.write(.crossSiteRequest, of: request([.origin: "https://evil.example"]))
        #expect(lines.values.count == 2 && lines.values.allSatisfy { $0.contains("original_path=/notes") })
        #expect(lines.values.allSatisfy { $0.contains("path=/pay ") })
    }

    @Test(
        "above debug only refusals that a wrong configuration causes are logged, with the setting that would allow them"
    )
    func above() throws {
        let lines = Recorder()
        let log = DenialLog(logger: logger(.info, lines))
        for denial in [Denial.tokenInvalid, .sessionMissing, .notFound] {
            log.write(denial, of: request([:]))
        }
        log.write(.crossSiteRequest, of: request([.secFetchSite: "cross-site"]))
        #expect(lines.values == [])
        log.write(.crossSiteRequest, of: request([.origin: "https://front.example"]))
        log.write(.crossSiteRequest, of: request([.origin: "null", .secFetchSite: "same-origin"]))
        log.write(.misdirectedRequest, of: request([:]))
        try #require(lines.values.count == 3)
        #expect(lines.values[2].contains("publicURL") && lines.values[2].contains("host=app.example"))
        #expect(lines.values[0].contains("trustedOrigins") && lines.values[0].contains("origin=https://front.example"))
        #expect(lines.values[0].contains("host=app.example"))
        #expect(lines.values[1].contains("Referrer-Policy"))
    }

    @Test("a preflight of an origin that is not trusted is logged with Origin, Host and the setting")
    func preflights() throws {
        let lines = Recorder()
        let log = DenialLog(logger: logger(.info, lines))
        let preflight = request([.origin: "https://front.example", .accessControlRequestMethod: "PUT"])
        log.writePreflight(preflight)
        log.write(.sessionMissing, of: preflight)
        log.write(.sessionMissing, of: request([.origin: "https://front.example"]))
        log.write(.sessionMissing, of: request([.accessControlRequestMethod: "PUT"]))
        try #require(lines.values.count == 2)
        for line in lines.values {
            #expect(line.contains("preflight") && line.contains("trustedOrigins"))
            #expect(line.contains("origin=https://front.example") && line.contains("host=app.example"))
        }
    }

    @Test("a flood of refusals logs ten lines a second and the number of omitted ones")
    func flood() {
        let lines = Recorder()
        let log = SampledLog(logger: logger(.info, lines))
        let began = ContinuousClock.now
        for number in 0..<5000 { log.warning("flood", metadata: ["number": "\(number)"]) }
        let seconds = (ContinuousClock.now - began).components.seconds
        #expect(10...(10 * (Int(seconds) + 1)) ~= lines.values.count)
        #expect(lines.values[0] == "warning flood number=0")
        log.warning("another", metadata: [:])
        #expect(lines.values.last == "warning another ", "the limit of lines is per message")
    }
}
