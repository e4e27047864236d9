import Foundation

/// The process metrics that Prometheus' client libraries share, read at each scrape.
enum ProcessMetrics {
    struct Sample {
        let name: String
        let type: String
        let value: Double
    }

    /// The metrics that this system provides.
    static var samples: [Sample] {
        let (stat, memory) = (statFields, memoryPages)
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let page = Double(sysconf(Int32(_SC_PAGESIZE)))
        let all: [(String, String, Double?)] = [
            ("process_cpu_seconds_total", "counter", cpuSeconds(stat, ticks)),
            ("process_max_fds", "gauge", maximumDescriptors),
            ("process_open_fds", "gauge", openDescriptors),
            ("process_resident_memory_bytes", "gauge", memory.map { $0.resident * page }),
            ("process_start_time_seconds", "gauge", startTime(stat, ticks)),
            ("process_threads", "gauge", field(20, of: stat)),
            ("process_virtual_memory_bytes", "gauge", memory.map { $0.virtual * page }),
        ]
        return all.compactMap { name, type, value in value.map { Sample(name: name, type: type, value: $0) } }
    }

    /// The fields of `/proc/self/stat` from the third on: the second, the name, may contain spaces and brackets
    /// (proc(5)).
    private static var statFields: [Substring]? {
        guard let text = text("/proc/self/stat"), let bracket = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: bracket)...].split(separator: " ")
    }

    /// - Parameter number: the number in proc(5), from 3.
    private static func field(_ number: Int, of fields: [Substring]?) -> Double? {
        guard let fields, fields.indices.contains(number - 3) else { return nil }
        return Double(fields[number - 3])
    }

    private static func cpuSeconds(_ stat: [Substring]?, _ ticks: Double) -> Double? {
        guard let user = field(14, of: stat), let system = field(15, of: stat) else { return nil }
        return (user + system) / ticks
    }

    private static func startTime(_ stat: [Substring]?, _ ticks: Double) -> Double? {
        guard let start = field(22, of: stat), let boot = bootTime else { return nil }
        return boot + start / ticks
    }

    private static let bootTime: Double? = text("/proc/stat")?.split(separator: "\n")
        .first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst("btime ".count)) }

    private static var memoryPages: (virtual: Double, resident: Double)? {
        guard let numbers = text("/proc/self/statm")?.split(separator: " "), numbers.count > 1,
            let virtual = Double(numbers[0]), let resident = Double(numbers[1])
        else { return nil }
        return (virtual, resident)
    }

    /// The number of open descriptors, without the one that reads the directory.
    private static var openDescriptors: Double? {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double(max(0, $0.count - 1)) }
    }

    private static var maximumDescriptors: Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Double(limit.rlim_cur)
    }

    /// Reads a file in `/proc`. Such files report the size 0, on which `FileManager` relies.
    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = fread(&buffer, 1, buffer.count, file)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}
