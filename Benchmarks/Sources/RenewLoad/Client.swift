/// One client with one connection. It renews its sessions in turn.
struct Client {
    let endpoint: Endpoint
    private var credentials: [[UInt8]]
    private let reader = AnswerReader()
    private var request: [UInt8] = []
    private var tally = Tally()

    init(endpoint: Endpoint, credentials: [[UInt8]]) {
        self.endpoint = endpoint
        self.credentials = credentials
    }

    mutating func run(until deadline: Int64) -> Tally {
        while Clock.now < deadline {
            do {
                guard try stay(until: deadline) else { break }
            } catch {
                tally.failures += 1
                // Stops, because otherwise the loop would connect to a stopped server without pause.
                if error != .closed { break }
            }
        }
        return tally
    }

    /// Renews over one connection until the server closes it or the time is over.
    /// - Returns: whether to continue: a refused session stays refused.
    private mutating func stay(until deadline: Int64) throws(Broken) -> Bool {
        let connection = try Connection(port: endpoint.port)
        var isFirst = true
        while Clock.now < deadline {
            let index = tally.asked % credentials.count
            let began = Clock.now
            do {
                try ask(index, over: connection)
            } catch {
                // A server may close a connection between two requests: then nothing was renewed, and nothing is
                // lost.
                guard error == .closed, !isFirst, !reader.hasBegun else { throw error }
                tally.reconnects += 1
                return true
            }
            isFirst = false
            tally.asked += 1
            guard take(index, after: Clock.now - began) else { return false }
            if reader.closes { return true }
        }
        return true
    }

    private mutating func ask(_ index: Int, over connection: borrowing Connection) throws(Broken) {
        endpoint.write(credentials[index], into: &request)
        reader.reset()
        try connection.send(request)
        try reader.read(from: connection)
    }

    /// Records a response.
    /// - Returns: whether the session can still be renewed.
    private mutating func take(_ index: Int, after nanoseconds: Int64) -> Bool {
        tally.statuses[reader.status, default: 0] += 1
        guard reader.status == 200 else {
            tally.failures += 1
            return reader.status >= 500 || reader.status == 429
        }
        if let successor = endpoint.delivery.successor(in: reader) {
            if refreshPart(successor) != refreshPart(credentials[index]) { tally.rotated += 1 }
            credentials[index] = successor
        } else {
            // The first presentation of a credential confirms it, which the server saves; the next one rotates it.
            tally.served += 1
        }
        tally.microseconds.append(UInt32(clamping: nanoseconds / 1000))
        return true
    }

    /// The refresh token of a credential. In a session cookie the access token precedes it, up to the tilde.
    private func refreshPart(_ credential: [UInt8]) -> ArraySlice<UInt8> {
        credential.firstIndex(of: UInt8(ascii: "~")).map { credential[($0 + 1)...] } ?? credential[...]
    }
}
