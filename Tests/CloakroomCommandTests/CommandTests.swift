import ArgumentParser
import CloakroomCore
import CloakroomFiles
import Testing

@testable import cloakroom

@Suite struct CommandTests {
    @Test(
        "the message names an unknown subcommand and the existing ones",
        arguments: [
            ("frobnicate", "cloakroom has no subcommand frobnicate"), ("users delete X --data-dir d", "delete"),
            ("users delete", "add, list"), ("sessions end abc --json", "sessions has no subcommand end"),
            ("keys add", "keys has no subcommand add"), ("-x users", nil), ("users list --data-dir d", nil),
            ("users add ann@example.com", nil), ("keys remove delete", nil), ("help users", nil), ("", nil),
            ("users help add", nil), ("users", nil), ("serve frobnicate", nil), ("verify abc", nil),
        ])
    func unknown(_ line: String, _ part: String?) {
        let complaint = Cloakroom.unknownSubcommand(in: line.split(separator: " ").map(String.init))
        #expect((complaint == nil) == (part == nil))
        if let part { #expect(complaint?.contains(part) == true) }
    }

    @Test(
        "each kind of failure has one exit code",
        arguments: [
            (UnusableData.Reason.cannotBeMade, CommandExit.configuration), (.missing, .refused), (.damaged, .refused),
            (.permission, .refused), (.busy, .refused), (.disk, .refused),
        ])
    func unusable(_ reason: UnusableData.Reason, _ status: CommandExit) {
        let found = CommandExit.of(UnusableData(reason, "/a: sentence"))
        #expect(found.status == status && found.sentence == "/a: sentence")
    }

    @Test("each kind of failure is in the table above")
    func kinds() {
        #expect(UnusableData.Reason.allCases.count == 6)
        #expect(Set(CommandExit.allCases.map(\.rawValue)) == [1, 64, 78])
    }

    @Test("the message of a refusal is a sentence")
    func denials() {
        #expect(
            CommandExit.of(Denial.invalidRequest(fields: ["b": "is bad", "a": "is too"])).sentence
                == "the a is too; the b is bad")
        #expect(CommandExit.of(Denial.accountExists).sentence == "there is an account with this address")
    }

    @Test(
        "keys rotate takes the algorithm names of the setting, and no contradicting options",
        arguments: [
            (["--algorithm", "Ed25519"], true), (["--algorithm", "RS256", "--now"], true), (["--refresh-secret"], true),
            (["--algorithm", "HS256"], false), (["--algorithm", "none"], false),
            (["--refresh-secret", "--now"], true),
            (["--refresh-secret", "--algorithm", "ES256"], false),
        ])
    func rotate(_ arguments: [String], _ isAccepted: Bool) {
        #expect(((try? Keys.Rotate.parse(arguments)) != nil) == isAccepted)
    }

    @Test(
        "times are in the format of RFC 3339",
        arguments: [
            ("2026-01-01", true), ("2026-01-01T00:00:00Z", true), ("2026-01-01T00:00:00+01:00", true),
            ("2026-01-01T00:00:00.25-05:30", true), ("2026-01-01T00:00:00", false), ("yesterday", false), ("", false),
        ])
    func times(_ text: String, _ isAccepted: Bool) {
        let command = try? Sessions.Revoke.parse(["--created-before=\(text)"])
        #expect((command != nil) == isAccepted)
    }
}
