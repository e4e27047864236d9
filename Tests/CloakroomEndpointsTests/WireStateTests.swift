import CloakroomCore
import Testing

@testable import CloakroomEndpoints

/// One event on a connection.
enum WireEvent: Hashable, Sendable {
    case head(WireState.Request)
    case body
    case end
    case refuse(isHead: Bool)
    case malformed
    case write(WireState.ResponsePart)

    static let denial = Denial.requestTimeout

    static func head(isHead: Bool = false, isLast: Bool = false, expectsContinue: Bool = false) -> WireEvent {
        .head(.init(isHead: isHead, isLast: isLast, expectsContinue: expectsContinue))
    }

    static let all: [WireEvent] =
        [.head(), .head(isLast: true), .head(expectsContinue: true), .body, .end, .refuse(isHead: false), .malformed]
        + WireState.ResponsePart.allCases.map { .write($0) }
}

/// The result of the state machine for an event.
enum WireAction: Hashable, Sendable {
    case head(WireState.HeadAction)
    case read(WireState.ReadAction)
    case refusal(WireState.RefusalAction)
    /// The error is passed on to the framework.
    case report
    case write(WireState.WriteAction)
}

extension WireState {
    mutating func take(_ event: WireEvent) -> WireAction {
        switch event {
        case .head(let request): .head(receiveHead(request))
        case .body: .read(receiveBody())
        case .end: .read(receiveEnd())
        case .refuse(let isHead): .refusal(refuse(WireEvent.denial, isHead: isHead))
        case .malformed: receiveMalformed(isHead: false).map { .refusal($0) } ?? .report
        case .write(let part): .write(write(part))
        }
    }
}

/// The rules of a connection, without a socket.
@Suite struct WireStateTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let events: [WireEvent]
        /// The results of the last events.
        let actions: [WireAction]

        init(_ sentence: String, _ events: [WireEvent], _ actions: WireAction...) {
            testDescription = sentence
            self.events = events
            self.actions = actions
        }
    }

    private static let request: [WireEvent] = [.head(), .end]
    private static let response: [WireEvent] = [.write(.head), .write(.body), .write(.end)]
    private static let refusal = WireState.RefusalAction.send(WireEvent.denial, isHead: false)
    private static let malformed = WireState.RefusalAction.send(.invalidRequest(fields: [:]), isHead: false)

    static let examples: [Example] = [
        Example("a request is passed on and answered", request + response, .write(.write), .write(.write)),
        Example("the next one too", request + response + request + response, .write(.write)),
        Example(
            "the last one closes the connection", [.head(isLast: true), .end] + response, .write(.writeWithClose),
            .write(.write), .write(.writeLast)),
        Example(
            "the last one closes it also when the response comes before the body",
            [.head(isLast: true)] + response + [.body, .end], .write(.writeWithClose), .write(.write),
            .write(.writeLast), .read(.drop), .read(.drop)),
        Example(
            "a response before the last one's does not", request + [.head(isLast: true), .end, .write(.head)],
            .write(.write)),
        Example(
            "nothing is read behind the last one", [.head(isLast: true), .end] + request, .head(.drop), .read(.drop)),
        Example(
            "what is broken behind the last one is none", [.head(isLast: true), .end, .malformed], .refusal(.ignore)),
        Example("and has no deadline", [.head(isLast: true), .end, .refuse(isHead: false)], .refusal(.ignore)),
        Example("100 Continue is sent to a client that waits", [.head(expectsContinue: true)], .head(.passAndContinue)),
        Example(
            "but not before the response to an earlier request", request + [.head(expectsContinue: true)],
            .head(.pass)),
        Example("a refusal is sent at once", [.refuse(isHead: true)], .refusal(.send(WireEvent.denial, isHead: true))),
        Example(
            "also in the middle of a request, with a body if that is not HEAD",
            [.head(), .body, .refuse(isHead: true)], .refusal(refusal)),
        Example(
            "a refusal of HEAD has no body", [.head(isHead: true), .refuse(isHead: false)],
            .refusal(.send(WireEvent.denial, isHead: true))),
        Example(
            "a refusal waits for the responses before it",
            request + request + [.refuse(isHead: false)] + response + response,
            .refusal(.wait), .write(.write), .write(.write), .write(.write), .write(.write), .write(.write),
            .write(.writeThenSend(WireEvent.denial, isHead: false))),
        Example(
            "also one in the middle of a request", request + [.head(isHead: true), .refuse(isHead: false)] + response,
            .refusal(.wait), .write(.write), .write(.write),
            .write(.writeThenSend(WireEvent.denial, isHead: true))),
        Example(
            "nothing is read behind a refusal that waits", request + [.refuse(isHead: false)] + request,
            .head(.drop), .read(.drop)),
        Example("there is one refusal", [.refuse(isHead: false), .refuse(isHead: false)], .refusal(.ignore)),
        Example(
            "also where one waits", request + [.refuse(isHead: false), .malformed], .refusal(.wait), .refusal(.ignore)),
        Example(
            "what the framework says behind a refusal is discarded", [.head(), .refuse(isHead: false)] + response,
            .write(.discard), .write(.discard), .write(.discard)),
        Example(
            "a request whose response has begun gets no second one", [.head(), .write(.head), .refuse(isHead: false)],
            .refusal(.close)),
        Example(
            "a request that has its response gets no second one", [.head()] + response + [.refuse(isHead: false)],
            .refusal(.linger)),
        Example(
            "the rest of its body is passed on", [.head()] + response + [.body, .end, .head()], .read(.pass),
            .read(.pass), .head(.pass)),
        Example(
            "what breaks off behind it ends the connection", [.head()] + response + [.malformed], .refusal(.linger)),
        Example(
            "and the framework's word on that is discarded", [.head()] + response + [.write(.head), .write(.end)],
            .write(.discardAndLinger), .write(.discard)),
        Example("the framework answers what breaks off in a body", [.head(), .malformed], .report),
        Example("what breaks off in a head is refused", [.malformed], .refusal(malformed)),
        Example("a response without a request is discarded", [.write(.head)], .write(.discardAndLinger)),
    ]

    @Test(arguments: examples)
    func example(_ example: Example) {
        var state = WireState()
        let actions = example.events.map { state.take($0) }
        #expect(Array(actions.suffix(example.actions.count)) == example.actions)
    }

    @Test("in every order of events each request gets at most one response, in order, and none follows the last one")
    func everyOrder() {
        var reached: Set = [WireObserver()]
        var open = Array(reached)
        while let observer = open.popLast() {
            for event in WireEvent.all where observer.accepts(event) {
                var next = observer
                let fault = next.observe(event)
                #expect(fault == nil, "\(event) in \(observer)")
                if fault == nil, reached.insert(next).inserted { open.append(next) }
            }
        }
        #expect(reached.count > 40)
    }
}

/// The view of client and framework on a connection, which checks the rules.
private struct WireObserver: Hashable {
    private var state = WireState()
    /// The number of requests that were passed on and have no complete response.
    private var unanswered = 0
    /// The last request that was passed on is not complete.
    private var isReceiving = false
    private var isResponding = false
    private var lastPassed = false
    private var isRefused = false
    /// The client has received `Connection: close` or a refusal.
    private var isOver = false

    /// Whether decoder and framework can produce this event now; at most three requests at a time.
    func accepts(_ event: WireEvent) -> Bool {
        switch event {
        case .head: !isReceiving && unanswered < 3
        case .body, .end: isReceiving || isOver
        case .refuse, .malformed: true
        case .write(.head): !isResponding
        case .write: isResponding
        }
    }

    /// - Returns: the rule that the action breaks; nil if it breaks none.
    mutating func observe(_ event: WireEvent) -> String? {
        switch state.take(event) {
        case .head(.drop), .read(.drop), .report, .refusal(.ignore), .write(.discard): return nil
        case .head(let action): return pass(event, action)
        case .read: return passPart(event)
        case .refusal(.wait): return refuse()
        case .refusal(.send): return send()
        case .refusal(.close), .refusal(.linger), .write(.discardAndLinger): return end()
        case .write(let action): return write(event, action)
        }
    }

    private mutating func pass(_ event: WireEvent, _ action: WireState.HeadAction) -> String? {
        guard !isOver, !isRefused, !lastPassed else { return "a request behind the last one" }
        guard action == .pass || unanswered == 0 else { return "100 Continue before a response" }
        if case .head(let request) = event { lastPassed = request.isLast }
        unanswered += 1
        isReceiving = true
        return nil
    }

    private mutating func passPart(_ event: WireEvent) -> String? {
        guard !isOver, !isRefused else { return "a part of a request behind the last one" }
        if event == .end { isReceiving = false }
        return nil
    }

    private mutating func refuse() -> String? {
        guard !isRefused, !isOver, unanswered > (isReceiving ? 1 : 0) else { return "a refusal that waits for nothing" }
        isRefused = true
        // The refusal replaces the response to the request that is being received.
        if isReceiving { unanswered -= 1 }
        isReceiving = false
        return nil
    }

    private mutating func send() -> String? {
        let ownRequest = isReceiving ? 1 : 0
        guard !isOver, !isResponding, unanswered == (isRefused ? 0 : ownRequest) else { return "a refusal out of turn" }
        return end()
    }

    private mutating func end() -> String? {
        isOver = true
        (unanswered, isReceiving, isResponding, lastPassed, isRefused) = (0, false, false, true, false)
        return nil
    }

    private mutating func write(_ event: WireEvent, _ action: WireState.WriteAction) -> String? {
        guard !isOver, unanswered > 0 else { return "a response without a request" }
        isResponding = event != .write(.end)
        guard event == .write(.end) else { return nil }
        unanswered -= 1
        switch action {
        case .writeLast: return lastPassed && unanswered == 0 ? end() : "the last response is not the last"
        case .writeThenSend: return send()
        case .write: return lastPassed && unanswered == 0 && !isRefused ? "the connection goes on behind the last" : nil
        case .writeWithClose, .discard, .discardAndLinger: return "no end of a response"
        }
    }
}
