import Metrics
import Synchronization

/// Keeps the metrics of the process and writes them in Prometheus' text format (version 0.0.4).
final class PrometheusRegistry: MetricsFactory, Sendable {
    struct ID: Hashable {
        let name: String
        let labels: String
    }

    private struct State {
        var counters: [ID: CounterCell] = [:]
        var gauges: [ID: GaugeCell] = [:]
        var histograms: [ID: HistogramCell] = [:]
    }

    private let state = Mutex(State())

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(\.counters, label, dimensions) { CounterCell() }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(\.gauges, label, dimensions) { GaugeCell() }
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        cell(\.gauges, label, dimensions) { GaugeCell() }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(\.histograms, label, dimensions) { HistogramCell() }
    }

    // These do nothing: a metric that is destroyed and created again must keep its value, because Prometheus takes a
    // smaller one for a restart.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private func cell<Cell: Sendable>(
        _ cells: any WritableKeyPath<State, [ID: Cell]> & Sendable, _ label: String, _ dimensions: [(String, String)],
        _ make: () -> Cell
    ) -> Cell {
        let labels = dimensions.map { "\(Self.name($0.0))=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        let id = ID(name: Self.name(label), labels: labels)
        return state.withLock { state in
            if let known = state[keyPath: cells][id] { return known }
            let cell = make()
            state[keyPath: cells][id] = cell
            return cell
        }
    }

    /// All metrics, sorted by name.
    var text: String {
        let (counters, gauges, histograms) = state.withLock { ($0.counters, $0.gauges, $0.histograms) }
        let lines =
            ProcessMetrics.samples.flatMap { Self.head($0.name, $0.type) + ["\($0.name) \($0.value)"] }
            + family(counters, type: "counter") { id, cell in ["\(Self.series(id)) \(cell.value)"] }
            + family(gauges, type: "gauge") { id, cell in ["\(Self.series(id)) \(cell.value)"] }
            + family(histograms, type: "histogram") { id, cell in cell.lines(id) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func family<Cell>(_ cells: [ID: Cell], type: String, _ lines: (ID, Cell) -> [String]) -> [String] {
        let byName = Dictionary(grouping: cells) { $0.key.name }
        return byName.sorted { $0.key < $1.key }.flatMap { name, members in
            Self.head(name, type)
                + members.sorted { $0.key.labels < $1.key.labels }.flatMap { lines($0.key, $0.value) }
        }
    }

    private static func head(_ name: String, _ type: String) -> [String] {
        let help = MetricHelp.text(name).replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
    }

    static func series(_ id: ID, suffix: String = "", label: String? = nil) -> String {
        let labels = [id.labels.isEmpty ? nil : id.labels, label].compactMap { $0 }.joined(separator: ",")
        return id.name + suffix + (labels.isEmpty ? "" : "{\(labels)}")
    }

    private static func name(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

private final class CounterCell: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }
    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }
}

private final class GaugeCell: MeterHandler, RecorderHandler, Sendable {
    private let current = Mutex(0.0)

    var value: Double { current.withLock { $0 } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { current.withLock { $0 = value } }
    func increment(by amount: Double) { current.withLock { $0 += amount } }
    func decrement(by amount: Double) { current.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
}

/// Durations, counted in buckets of seconds.
private final class HistogramCell: TimerHandler, Sendable {
    private static let bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

    private struct State {
        var buckets = [Int64](repeating: 0, count: bounds.count)
        var count: Int64 = 0
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        state.withLock { state in
            if let index = Self.bounds.firstIndex(where: { seconds <= $0 }) { state.buckets[index] += 1 }
            state.count += 1
            state.sum += seconds
        }
    }

    func lines(_ id: PrometheusRegistry.ID) -> [String] {
        let state = state.withLock { $0 }
        var total: Int64 = 0
        var lines: [String] = []
        for (bound, bucket) in zip(Self.bounds, state.buckets) {
            total += bucket
            lines.append("\(PrometheusRegistry.series(id, suffix: "_bucket", label: "le=\"\(bound)\"")) \(total)")
        }
        lines.append("\(PrometheusRegistry.series(id, suffix: "_bucket", label: "le=\"+Inf\"")) \(state.count)")
        lines.append("\(PrometheusRegistry.series(id, suffix: "_sum")) \(state.sum)")
        lines.append("\(PrometheusRegistry.series(id, suffix: "_count")) \(state.count)")
        return lines
    }
}
