import CoreMetrics
import Foundation
import Testing

@testable import cloakroom

@Suite struct PrometheusTests {
    @Test("metrics are in Prometheus' text format, sorted, with escaped labels")
    func format() {
        let registry = PrometheusRegistry()
        registry.makeCounter(label: "b.total", dimensions: [("x", "a\"b\\c\nd")]).increment(by: 2)
        registry.makeCounter(label: "b.total", dimensions: [("x", "a\"b\\c\nd")]).increment(by: 3)
        registry.makeMeter(label: "a", dimensions: []).set(1.5)
        registry.makeTimer(label: "t", dimensions: [("r", "/")]).recordNanoseconds(3_000_000)
        let lines = registry.text.split(separator: "\n").map(String.init)
        #expect(lines.contains(#"b_total{x="a\"b\\c\nd"} 5"#))
        #expect(lines.contains("a 1.5") && lines.contains("# TYPE a gauge") && lines.contains("# TYPE b_total counter"))
        #expect(lines.contains(#"t_bucket{r="/",le="0.0025"} 0"#) && lines.contains(#"t_bucket{r="/",le="0.005"} 1"#))
        #expect(lines.contains(#"t_bucket{r="/",le="+Inf"} 1"#) && lines.contains(#"t_count{r="/"} 1"#))
    }

    @Test("every metric has one HELP line and one TYPE line, directly before its values")
    func heads() {
        let registry = PrometheusRegistry()
        registry.makeCounter(label: "cloakroom_denials_total", dimensions: [("code", "a")]).increment(by: 1)
        registry.makeCounter(label: "cloakroom_denials_total", dimensions: [("code", "b")]).increment(by: 1)
        registry.makeMeter(label: "cloakroom_sessions", dimensions: []).set(7.0)
        registry.makeTimer(label: "cloakroom_http_request_duration_seconds", dimensions: []).recordNanoseconds(1)
        let lines = registry.text.split(separator: "\n").map(String.init)
        let heads = lines.indices.filter { lines[$0].hasPrefix("# HELP ") }
        let names = heads.map { lines[$0].split(separator: " ")[2] }
        #expect(Set(names).count == names.count && names.contains("cloakroom_sessions"))
        for (index, name) in zip(heads, names) {
            #expect(lines[index + 1].hasPrefix("# TYPE \(name) ") && lines[index + 2].hasPrefix(name))
            #expect(MetricHelp.texts[String(name)] != nil, "\(name) has no text of its own")
        }
        #expect(lines.filter { $0.hasPrefix("# TYPE") }.count == heads.count)
    }

    @Test(
        "the process metrics are those of Prometheus' client libraries",
        arguments: [
            "process_cpu_seconds_total", "process_max_fds", "process_open_fds", "process_resident_memory_bytes",
            "process_start_time_seconds", "process_virtual_memory_bytes", "process_threads",
        ])
    func process(_ name: String) throws {
        let sample = try #require(ProcessMetrics.samples.first { $0.name == name })
        #expect(sample.value > 0 && sample.type == (name.hasSuffix("_total") ? "counter" : "gauge"))
    }

    @Test("the start of the process was a moment ago")
    func start() throws {
        let sample = try #require(ProcessMetrics.samples.first { $0.name == "process_start_time_seconds" })
        #expect(Date().timeIntervalSince1970 - 3600..<Date().timeIntervalSince1970 + 60 ~= sample.value)
    }
}
