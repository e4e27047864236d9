import CloakroomCore
import CloakroomTokens
import Foundation
import Testing

@testable import CloakroomService

@Suite struct KeyFilesTests {
    @Test("keys are made once, mode 0600, and read again as they were")
    func keys() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let files = KeyFiles(directory: try DataDirectory(path))
        #expect(try files.read() == nil)
        let ring = try files.open(.es256)
        let again = try files.open(.es256)
        #expect(ring.signing.map(\.key.id) == again.signing.map(\.key.id))
        #expect(ring.refresh.map(\.key.secret) == again.refresh.map(\.key.secret))
        let changed = try files.open(.ed25519)
        #expect(changed.signing.count == 2 && changed.signing[1].signsFrom > ring.signing[0].signsFrom)
        let removed = try files.remove(changed.signing[1].key.id, from: changed)
        #expect(removed.signing.count == 1)
    }

    @Test("what is not a file of keys, or half of the keys, is refused and not replaced")
    func broken() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let directory = try DataDirectory(path)
        let files = KeyFiles(directory: directory)
        _ = try files.open(.es256)
        try directory.writeSecret(KeyFiles.signingKeys, Array("{}".utf8))
        #expect(throws: DataDirectory.Unusable.self) { try files.open(.es256) }
        try FileManager.default.removeItem(atPath: directory.file(KeyFiles.signingKeys))
        #expect(throws: DataDirectory.Unusable.self) { try files.open(.es256) }
    }
}
