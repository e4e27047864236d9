import Foundation
import Synchronization

@testable import CloakroomPostgres

/// A PostgreSQL server and a pgbouncer in transaction mode, for this process alone: they listen on sockets in a
/// temporary directory, and end with the process.
final class PostgresCluster: Sendable {
    static let shared = Result { try PostgresCluster() }

    /// The way from a store to the server.
    enum Path: CaseIterable {
        case direct, pgbouncer
    }

    private let directory: String
    private let process: Process
    private let administration: Mutex<PostgresConnection>
    private let databases = Mutex(0)

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private init() throws {
        let name = "cloakroom-postgres-\(ProcessInfo.processInfo.processIdentifier)"
        directory = FileManager.default.temporaryDirectory.appending(path: name).path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "cluster.sh").path
        process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [script, directory]
        // The script ends the servers when this pipe is closed, however this process ends.
        process.standardInput = Pipe()
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let answer = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard answer.hasPrefix("ready") else { throw Failure(description: "no PostgreSQL: \(answer)") }
        let address = try PostgresAddress(
            parsing: "postgres:///postgres?host=\(Self.encoded(directory))&user=postgres")
        administration = Mutex(try PostgresConnection.connect(to: address, notBefore: 0, within: .seconds(10)))
    }

    /// Runs statements as superuser in the database `postgres`, each as a transaction.
    func administer(_ statements: String...) throws {
        try administration.withLock { connection in
            for statement in statements { _ = try connection.transaction([.single(statement)]) }
        }
    }

    /// Creates an empty database, which an ordinary role owns.
    func database() throws -> Database {
        let number = databases.withLock { count in
            count += 1
            return count
        }
        try administer("CREATE DATABASE test\(number) OWNER app")
        return Database(name: "test\(number)", cluster: self)
    }

    /// A database of one test.
    struct Database {
        let name: String
        let cluster: PostgresCluster

        func url(_ path: Path = .direct, _ parameters: String = "") -> String {
            let directory = PostgresCluster.encoded(cluster.directory)
            let own = parameters.isEmpty ? "" : "&\(parameters)"
            return switch path {
            case .direct: "postgres:///\(name)?host=\(directory)&user=app\(own)"
            case .pgbouncer: "postgres:///\(name)?host=\(directory)&port=6432&user=app&pooler=transaction\(own)"
            }
        }

        func address(_ path: Path = .direct, _ parameters: String = "") throws -> PostgresAddress {
            try PostgresAddress(parsing: url(path, parameters))
        }

        /// A connection of its own.
        func connect() throws -> PostgresConnection {
            try PostgresConnection.connect(to: address(), notBefore: 0, within: .seconds(10))
        }

        /// Runs a statement, and returns the first column of its rows.
        @discardableResult
        func run(_ sql: String) throws -> [String] {
            try connect().transaction([.single(sql)])[0].map { $0.text(0) }
        }

        /// Ends every connection of the stores.
        func disconnectAll() throws {
            try cluster.administer(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)' AND usename = 'app'")
        }
    }

    /// Also used as a directory for the sockets of tests.
    func file(_ name: String) -> String { "\(directory)/\(name)" }

    static func encoded(_ path: String) -> String {
        path.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? path
    }
}
