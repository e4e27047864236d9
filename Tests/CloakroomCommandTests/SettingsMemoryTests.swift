import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles
import CloakroomTokens
import Foundation
import Testing

@testable import cloakroom

@Suite struct SettingsMemoryTests {
    private let path: String
    private let memory: SettingsMemory

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID())").path
        memory = SettingsMemory(try DataDirectory(path))
    }

    private func settings(
        _ flags: [SettingKey: String], remembered: [SettingKey: String] = [:]
    ) throws -> Settings {
        try Settings(SettingsSources(flags: flags, environment: [:], file: nil, remembered: remembered))
    }

    @Test("a command uses the settings of the server's last start, unless it gets others")
    func remembered() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try settings(["accessTokenLifetime": "7", "absoluteLifetime": "100", "store": "sqlite:a/b.sqlite"])
        try memory.write(server.remembered)
        let found = try memory.read()
        let command = try settings(["absoluteLifetime": "50"], remembered: found)
        #expect(command.server.policy.accessTokenLifetime == .seconds(7))
        #expect(command.server.policy.absoluteLifetime == .seconds(50))
        #expect(command.server.policy.idleLifetime == SessionPolicy().idleLifetime)
        #expect(command.data.store == .sqlite(path: FileManager.default.currentDirectoryPath + "/a/b.sqlite"))
    }

    @Test("a setting that the next start leaves out has its default again")
    func forgotten() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try memory.write(settings(["accessTokenLifetime": "7"]).remembered)
        try memory.write(settings([:]).remembered)
        #expect(try memory.read().isEmpty)
    }

    @Test("a damaged file is refused, and the message names it", arguments: ["", "{", "[]", "7"])
    func damaged(_ text: String) throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try DataDirectory(path).writeSecret("last-settings", Array(text.utf8))
        let error = #expect(throws: UnusableData.self) { try memory.read() }
        #expect(error?.description.contains("last-settings") == true)
    }

    @Test("without signingAlgorithm the algorithm of the keys is used")
    func algorithm() throws {
        #expect(try settings([:]).server.signingAlgorithm == nil)
        #expect(try settings(["signingAlgorithm": "RS256"]).server.signingAlgorithm == .rs256)
    }
}
