import CloakroomCore
import Foundation
import GRDB

/// The table of what apps decide about subjects. A subject without a row has no claims and is not blocked.
enum Subjects {
    static func set(_ claims: Claims, of subject: Subject, _ database: Database) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO subjects (subject, claims) VALUES (?, ?)
                ON CONFLICT (subject) DO UPDATE SET claims = excluded.claims
                """
        ).execute(arguments: [subject.rawValue, claims == .empty ? nil : try JSONEncoder().encode(claims)])
    }

    static func setBlocked(_ isBlocked: Bool, _ subject: Subject, _ database: Database) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO subjects (subject, blocked) VALUES (?, ?)
                ON CONFLICT (subject) DO UPDATE SET blocked = excluded.blocked
                """
        ).execute(arguments: [subject.rawValue, isBlocked])
    }

    static func isBlocked(_ subject: Subject, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database.cachedStatement(sql: "SELECT blocked FROM subjects WHERE subject = ?"),
            arguments: [subject.rawValue]) ?? false
    }

    static func claims(of subject: Subject, _ database: Database) throws -> Claims {
        let document =
            try Data?.fetchOne(
                database.cachedStatement(sql: "SELECT claims FROM subjects WHERE subject = ?"),
                arguments: [subject.rawValue]) ?? nil
        return try document.map { try DocumentDecoder.decode(Claims.self, from: $0) } ?? .empty
    }
}
