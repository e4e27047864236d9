import CoreMetrics
import Testing

@testable import cloakroom

@Suite struct PrometheusTests {
    @Test("metrics come out in Prometheus' text format, sorted, with their labels escaped")
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
}
