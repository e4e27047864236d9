import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Logging
import NIOCore

/// Reading requests, and having each judged.
extension FrontConnection {
    func becomeReady() {
        state = .head
        headEnd = HeadEnd()
        deadline = .now() + (received.readableBytes == 0 ? gateway.limits.idle : gateway.limits.head)
        resumeReading()
    }

    /// Reads as many requests as have arrived and can be answered at once. A loop: with a recursion, a client that sends
    /// thousands of requests in one segment would exhaust the stack.
    func readHeads() {
        guard !isReadingHeads else { return }
        isReadingHeads = true
        defer { isReadingHeads = false }
        while case .head = state, received.readableBytes > 0, readHead() {}
        flushIfNeeded()
    }

    /// - Returns: whether there was a whole head.
    func readHead() -> Bool {
        do throws(RequestFault) {
            guard let length = try lengthOfHead(), let bytes = received.readSlice(length: length) else { return false }
            handle(try RequestHead(bytes))
        } catch {
            refuseUnread(error)
        }
        return true
    }

    func lengthOfHead() throws(RequestFault) -> Int? {
        let isBeginning = headEnd.isAtStart
        do {
            let length = try received.withUnsafeReadableBytes { bytes throws(MalformedHead) in
                try headEnd.find(in: bytes)
            }
            if let length {
                guard length <= gateway.limits.longestHead else { throw RequestFault.headTooLarge }
                return length
            }
        } catch let fault as RequestFault {
            throw fault
        } catch {
            throw .malformed("the head does not follow the grammar of HTTP/1.1")
        }
        guard received.readableBytes <= gateway.limits.longestHead else { throw .headTooLarge }
        if isBeginning { deadline = .now() + gateway.limits.head }
        return nil
    }

    func handle(_ head: RequestHead) {
        deadline = nil
        switch gateway.rules.judge(head) {
        case .own: begin(Exchange(self, head, .own))
        case .pass(let route, let access): begin(Exchange(self, head, .backend(route, access, setCookie: nil)))
        case .refused(let denial, let route): refuse(denial, head, route)
        case .authorize(let route, let credentials):
            state = .judging
            pauseReading()
            judge(head, route, credentials)
        }
    }

    func judge(_ head: RequestHead, _ route: Route, _ credentials: RequestCredentials) {
        let rules = gateway.rules
        let agent = head.first(.userAgent) ?? ""
        let (connection, log) = (NIOLoopBound(self, eventLoop: loop.eventLoop), gateway.log)
        Task(executorPreference: loop.executor) {
            let judgement = await TraceID.$current.withValue(head.trace) {
                do { return try await rules.authorize(credentials, for: route, userAgent: agent) } catch {
                    log.warning("a session could not be checked", metadata: ["error": "\(error)"])
                    return Judgement.refused(.unavailable(retryAfter: .seconds(1)))
                }
            }
            // Not with this trace: the next requests of the connection have their own.
            connection.value.goOn(with: head, judgement, route)
        }
    }

    private func goOn(with head: RequestHead, _ judgement: Judgement, _ route: Route) {
        guard context?.channel.isActive == true else { return }
        state = .head
        switch judgement {
        case .pass(let access, let setCookie):
            begin(Exchange(self, head, .backend(route, access, setCookie: setCookie)))
        case .refused(let denial):
            refuse(denial, head, route)
        }
        readHeads()
        flushIfNeeded()
    }

    func begin(_ exchange: Exchange) {
        state = .exchanging(exchange)
        exchange.begin()
    }

    /// The address of the client, from the peer and what trusted proxies say.
    func clientAddress(of head: RequestHead) -> String {
        gateway.rules.trustedProxies.client(peer: peer, forwardedFor: head.values(.forwardedFor))
    }
}
