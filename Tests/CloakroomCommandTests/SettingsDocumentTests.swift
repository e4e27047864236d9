import CloakroomCore
import CloakroomEndpoints
import Foundation
import Testing

@testable import cloakroom

@Suite struct SettingsDocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private let path = root.appending(path: "docs/configuration.md")

    @Test("docs/configuration.md equals the table of settings; WRITE_DOCUMENTS=1 writes it")
    func tables() throws {
        let shown = try String(contentsOf: path, encoding: .utf8)
        let document = SettingsDocument(shown)
        #expect(document.titles == SettingsTable.sections.map { $0.title })
        if ProcessInfo.processInfo.environment["WRITE_DOCUMENTS"] == "1" {
            return try document.text.write(to: path, atomically: true, encoding: .utf8)
        }
        let isCurrent = document.text == shown
        #expect(isCurrent, "WRITE_DOCUMENTS=1 swift test --filter SettingsDocumentTests brings it up to date")
    }

    @Test("an additional setting changes the document")
    func undocumented() throws {
        let shown = try String(contentsOf: path, encoding: .utf8)
        for setting in SettingsTable.all {
            let lines = shown.split(separator: "\n", omittingEmptySubsequences: false)
            let without = lines.filter { !$0.hasPrefix("| `\(setting.key)` |") }
            #expect(without.count == lines.count - 1)
            #expect(SettingsDocument(without.joined(separator: "\n")).text == shown)
        }
    }

    @Test("the configuration file of the document can be used")
    func example() throws {
        let file = Self.root.appending(path: "docs/snippets/cloakroom.yaml").path
        let settings = try Settings(SettingsSources(flags: [:], environment: [:], file: file))
        #expect(settings.server.clients.map(\.delivery) == [.hybrid, .body])
    }

    @Test("the messages that the document shows are those of the command")
    func messages() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        _ = FileManager.default.createFile(atPath: file, contents: Data("port: http".utf8))
        let shown = try String(contentsOf: path, encoding: .utf8)
        for sources in [
            try SettingsSources(flags: [:], environment: [:], file: file),
            try SettingsSources(flags: [:], environment: ["CLOAKROOM_SIGNUP": "yes"], file: nil),
        ] {
            let error = #expect(throws: SettingsError.self) { try Settings(sources) }
            let message = error?.description.replacing(file, with: "/etc/cloakroom/cloakroom.yaml") ?? ""
            #expect(shown.contains("\ncloakroom: \(message)\n"))
        }
    }

    @Test("every environment variable in the documents belongs to a setting")
    func variables() throws {
        let known = SettingsTable.all.map(\.key.environmentName)
        let others = ["CLOAKROOM_CONFIG", "CLOAKROOM_BIN", "CLOAKROOM_ENGINES"]
        for document in ["README.md", "CONTRIBUTING.md"] + (try documents()) {
            let text = try String(contentsOf: Self.root.appending(path: document), encoding: .utf8)
            for name in text.matches(of: /CLOAKROOM_[A-Z_]+/).map({ String($0.0) }) {
                #expect((known + others).contains(name), "\(document) names \(name)")
            }
        }
    }

    private func documents() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "docs").path)
            .filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }
    }
}
