import CPQ

/// An error that the server reports for a statement.
///
/// The detail of the report is left out: it quotes the values of rows, such as addresses.
struct ServerError: Error, CustomStringConvertible {
    /// Five letters and digits (PostgreSQL manual, appendix A).
    let code: String
    let message: String

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    init(_ result: OpaquePointer) {
        code = Self.field(result, "C")
        message = Self.field(result, "M")
    }

    /// - Parameter code: one of the letters of the protocol: C for the code, M for the message.
    private static func field(_ result: OpaquePointer, _ code: Unicode.Scalar) -> String {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) } ?? ""
    }

    var description: String { "PostgreSQL: \(message) (\(code))" }

    /// What the error means for a transaction that was sent.
    enum Consequence {
        /// The server ends the connection. Whether a commit that was sent took effect is not known.
        case connectionLost
        /// The server takes no writes: it is a standby, or was made read-only. Nothing is committed.
        case readOnly
        /// A race with another transaction. Nothing is committed.
        case conflict
        /// No statement can succeed at the moment. Nothing is committed.
        case unavailable
        /// The statement itself is at fault. Nothing is committed.
        case statement
    }

    var consequence: Consequence {
        switch code {
        case "57P01", "57P02", "57P03", "": .connectionLost
        case "25006": .readOnly
        case "40001", "40P01", "55P03": .conflict
        case _ where code.hasPrefix("08"): .connectionLost
        case _ where code.hasPrefix("53") || code == "57014" || code == "58030": .unavailable
        default: .statement
        }
    }
}

/// The connection ended, or the server did not answer in time.
struct ConnectionLost: Error, CustomStringConvertible {
    let description: String
}
