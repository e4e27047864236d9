import CloakroomCore

/// The state of one HTTP/1.1 connection: which requests have arrived, and which of them have their responses. Each
/// request gets one response, in order, and nothing follows the last one.
///
/// It does no I/O. Each event is a method, and its result tells `WireHandler` what to do.
struct WireState: Hashable {
    private enum State: Hashable {
        /// No request is being received, and `waiting` requests have no response yet.
        case idle(waiting: Int)
        /// A request is being received, and `waiting` earlier requests have no response yet.
        case receiving(Request, waiting: Int)
        /// A request is being received, and its response has begun.
        case answering(Request)
        /// A request is being received whose response is complete.
        case draining
        /// The last request of the connection is complete: bytes after it are not a request (RFC 9112 section 9.6).
        case ended(waiting: Int)
        /// A request was refused. Nothing more is read, and the refusal follows the responses to `waiting` requests.
        case refused(Denial, isHead: Bool, waiting: Int)
        /// The last response was written. Nothing more is read or written.
        case closing
    }

    /// The properties of a request head that affect its response.
    struct Request: Hashable {
        /// The method is HEAD: the response has no body.
        var isHead = false
        /// The connection ends with the response.
        var isLast = false
        /// The client sends its body only after `100 Continue`.
        var expectsContinue = false
    }

    private var state = State.idle(waiting: 0)

    enum HeadAction: Hashable {
        case pass
        /// `100 Continue` is sent first.
        case passAndContinue
        case drop
    }

    /// A valid head of a request has arrived.
    mutating func receiveHead(_ request: Request) -> HeadAction {
        guard case .idle(let waiting) = state else { return .drop }
        state = .receiving(request, waiting: waiting)
        // A client would take an interim response between two others for the first one's.
        return request.expectsContinue && waiting == 0 ? .passAndContinue : .pass
    }

    enum ReadAction: Hashable {
        case pass, drop
    }

    /// A part of a request body has arrived.
    func receiveBody() -> ReadAction {
        switch state {
        case .receiving, .answering, .draining: .pass
        case .idle, .ended, .refused, .closing: .drop
        }
    }

    /// The end of a request has arrived.
    mutating func receiveEnd() -> ReadAction {
        switch state {
        case .receiving(let request, let waiting):
            state = request.isLast ? .ended(waiting: waiting + 1) : .idle(waiting: waiting + 1)
        case .answering(let request):
            state = request.isLast ? .ended(waiting: 1) : .idle(waiting: 1)
        case .draining:
            state = .idle(waiting: 0)
        case .idle, .ended, .refused, .closing:
            return .drop
        }
        return .pass
    }

    enum RefusalAction: Hashable {
        /// The refusal is sent now, and the connection is closed behind it.
        case send(Denial, isHead: Bool)
        /// The refusal is sent later: `WriteAction.writeThenSend`.
        case wait
        /// The connection is closed at once: a client would read a second response after half of one as the rest of
        /// it.
        case close
        /// The connection is closed soon, without another response: the request has its response already.
        case linger
        case ignore
    }

    /// Refuses a request that cannot, or must not, be read to its end.
    /// - Parameter isHead: whether its method is HEAD. It counts if the head has not been passed on.
    mutating func refuse(_ denial: Denial, isHead: Bool) -> RefusalAction {
        switch state {
        case .idle(waiting: 0):
            state = .closing
            return .send(denial, isHead: isHead)
        case .receiving(let request, waiting: 0):
            state = .closing
            return .send(denial, isHead: request.isHead)
        case .idle(let waiting):
            state = .refused(denial, isHead: isHead, waiting: waiting)
            return .wait
        case .receiving(let request, let waiting):
            state = .refused(denial, isHead: request.isHead, waiting: waiting)
            return .wait
        case .answering:
            state = .closing
            return .close
        case .draining:
            state = .closing
            return .linger
        case .ended, .refused, .closing:
            return .ignore
        }
    }

    /// The received bytes are not HTTP.
    /// - Returns: nil within a body: the framework, which reads the body, responds to that.
    mutating func receiveMalformed(isHead: Bool) -> RefusalAction? {
        switch state {
        case .receiving, .answering: nil
        case .idle, .draining, .ended, .refused, .closing: refuse(.invalidRequest(fields: [:]), isHead: isHead)
        }
    }

    enum ResponsePart: Hashable, CaseIterable {
        case head, body, end
    }

    enum WriteAction: Hashable {
        case write
        /// The head is written with `Connection: close`.
        case writeWithClose
        /// The connection is closed soon after.
        case writeLast
        /// The waiting refusal is sent directly after this part.
        case writeThenSend(Denial, isHead: Bool)
        case discard
        /// As `discard`, and the connection is closed soon.
        case discardAndLinger
    }

    /// The framework writes a part of a response.
    ///
    /// A part without a waiting request is the framework's reaction to a body that broke off after its response. The
    /// client would take it for the response to its next request, so it is discarded.
    mutating func write(_ part: ResponsePart) -> WriteAction {
        switch state {
        case .receiving(let request, waiting: 0), .answering(let request):
            return write(part, answering: request)
        case .idle(waiting: 0), .draining:
            state = .closing
            return .discardAndLinger
        case .closing:
            return .discard
        case .idle(let waiting):
            if part == .end { state = .idle(waiting: waiting - 1) }
        case .receiving(let request, let waiting):
            if part == .end { state = .receiving(request, waiting: waiting - 1) }
        case .ended(waiting: 1):
            if part == .end { state = .closing }
            return part.actionOfLast
        case .ended(let waiting):
            if part == .end { state = .ended(waiting: waiting - 1) }
        case .refused(let denial, let isHead, waiting: 1):
            guard part == .end else { return .write }
            state = .closing
            return .writeThenSend(denial, isHead: isHead)
        case .refused(let denial, let isHead, let waiting):
            if part == .end { state = .refused(denial, isHead: isHead, waiting: waiting - 1) }
        }
        return .write
    }

    /// A part of the response to the request that is being received.
    private mutating func write(_ part: ResponsePart, answering request: Request) -> WriteAction {
        switch part {
        case .head, .body: state = .answering(request)
        case .end: state = request.isLast ? .closing : .draining
        }
        return request.isLast ? part.actionOfLast : .write
    }
}

extension WireState.ResponsePart {
    /// The action for a part of the last response of a connection.
    fileprivate var actionOfLast: WireState.WriteAction {
        switch self {
        case .head: .writeWithClose
        case .body: .write
        case .end: .writeLast
        }
    }
}
