import Logging

/// Demo, logging and core dumps.
struct ProcessSettings: SettingsSection, Sendable {
    var isDemo = false
    var logLevel = Logger.Level.info
    var writesCoreDumps = false

    static let title = "Process"

    static let settings: [Setting] = [
        Setting(
            "demo", .trueOrFalse, to: \.process.isDemo, example: "true",
            help: "Serve a small app at / that shows login, two tabs, renewal, sessions and step-up.", isSwitch: true),
        Setting(
            "logLevel", .one(of: Logger.Level.allCases, "level"), to: \.process.logLevel, example: "debug",
            help: "Lowest severity that is logged, from `trace` to `critical`."),
        Setting(
            "coreDumps", .trueOrFalse, to: \.process.writesCoreDumps, example: "true",
            help: "Let a crash write the memory of the server to a core dump.",
            risk: .init(warning: "A core dump contains passwords and keys.") { $0.process.writesCoreDumps },
            isSwitch: true),
    ]
}
