import CloakroomCore

/// Where one HTTP/1.1 connection stands: which requests have come, and which of them have their responses. Each request
/// gets one response, in order, and nothing follows the last one.
///
/// It does no I/O. Each event is a method, and its result tells `WireHandler` what to do.
struct WireState: Hashable {
    private enum State: Hashable {
        /// No request is being received, and so many wait for their responses.
        case idle(waiting: Int)
        /// A request is being received, and so many before it wait for their responses.
        case receiving(Request, waiting: Int)
        /// A request is being received, and its response has begun.
        case answering(Request)
        /// A request is being received that has its response already.
        case draining
        /// The last request of the connection came in full: what follows it is none (RFC 9112 section 9.6).
        case ended(waiting: Int)
        /// A request was refused. Nothing more is read; the refusal is sent behind so many responses.
        case refused(Denial, isHead: Bool, waiting: Int)
        /// The last response was written. Nothing more is read or written.
        case closing
    }

    /// What the head of a request decides about its response.
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

    /// The head of a request came, and nothing speaks against it.
    mutating func receiveHead(_ request: Request) -> HeadAction {
        guard case .idle(let waiting) = state else { return .drop }
        state = .receiving(request, waiting: waiting)
        // An interim response between two others would be taken for the first one's.
        return request.expectsContinue && waiting == 0 ? .passAndContinue : .pass
    }

    enum ReadAction: Hashable {
        case pass, drop
    }

    /// A part of the body of a request came.
    func receiveBody() -> ReadAction {
        switch state {
        case .receiving, .answering, .draining: .pass
        case .idle, .ended, .refused, .closing: .drop
        }
    }

    /// The end of a request came.
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
        /// The connection is closed at once: a second response behind half of one would be read as its rest.
        case close
        /// The connection is closed soon, without a word: the request has its response already.
        case linger
        case ignore
    }

    /// A request is refused that cannot, or must not, be read to its end.
    /// - Parameter isHead: whether it is one for HEAD. It counts where the head has not been passed on.
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

    /// The bytes that came are not HTTP.
    /// - Returns: nil in the middle of a body: the framework, which reads the body, answers that.
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
        /// The refusal that has waited is sent right behind it.
        case writeThenSend(Denial, isHead: Bool)
        case discard
        /// As `discard`, and the connection is closed soon.
        case discardAndLinger
    }

    /// The framework writes a part of a response.
    ///
    /// What it writes without a request to answer is its own word on a body that broke off behind its response. The
    /// client would take that for the response to its next request.
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
    /// Of the last response of a connection.
    fileprivate var actionOfLast: WireState.WriteAction {
        switch self {
        case .head: .writeWithClose
        case .body: .write
        case .end: .writeLast
        }
    }
}
