import ArgumentParser
import CloakroomCore
import CloakroomSessions
import CloakroomTokens
import Foundation

/// `cloakroom verify`
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify one token with the verifier that the server uses.",
        discussion:
            "Prints the claims as JSON and exits 0, or says the code and the reason on standard error and exits 1.")

    @Option(help: ArgumentHelp("The key set: a JWK Set or one JWK.", valueName: "file")) var jwks: String
    @Option(help: "The iss that is expected.") var issuer: String?
    @Option(help: "The aud that is expected.") var audience: String?
    @Option(help: "The typ that is expected; any for foreign tokens.") var typ = "at+jwt"
    @Option(help: ArgumentHelp("The time to verify at.", valueName: "unixtime")) var now: Double?
    @Argument(help: "The token; - or nothing for standard input.") var token = "-"

    func run() throws {
        guard let document = FileManager.default.contents(atPath: jwks) else {
            try refuse("invalid_request", "\(jwks) cannot be read")
        }
        do {
            let keys = try KeySet(parsing: Array(document))
            let claims = try TokenInspection(issuer: issuer, audience: audience, type: typ == "any" ? nil : typ)
                .claims(of: input(), with: keys, at: time)
            Terminal.print(String(decoding: JSONValue.object(claims).serialized, as: UTF8.self))
        } catch let fault as TokenFault {
            try refuse(fault.denial.code, fault.reason)
        } catch let refusal as KeySet.Refusal {
            try refuse("invalid_request", "the key set was refused: \(refusal.reason)")
        }
    }

    func validate() throws {
        if let now, !(0...253_402_300_799 ~= now) {
            throw ValidationError("--now expects seconds since 1970, up to the year 9999")
        }
    }

    private var time: Instant {
        now.map { Instant(milliseconds: Int64($0 * 1000)) } ?? Environment.system.now()
    }

    /// The token, without the line end that an editor or `echo` adds.
    private func input() -> [UInt8] {
        guard token == "-" else { return Array(token.utf8) }
        let limit = VerifiedJWS.maximumSize + 2
        var bytes: [UInt8] = []
        while bytes.count < limit, let chunk = try? FileHandle.standardInput.read(upToCount: limit - bytes.count),
            !chunk.isEmpty
        {
            bytes += chunk
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return bytes
    }

    private func refuse(_ code: String, _ reason: String) throws -> Never {
        Terminal.complain("\(code): \(reason)")
        throw ExitCode.failure
    }
}
