import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import NIOCore

/// The gateway's own answers.
extension FrontConnection {
    func refuse(_ denial: Denial, _ head: RequestHead, _ route: Route?) {
        gateway.denials.write(denial, of: LoggedRequest(head))
        let answer = gateway.rules.answer(denial, to: head, route: route)
        gateway.observe(route?.pattern.description, head.method, answer.status, .zero)
        self.answer(answer, to: head, requestIsComplete: head.framing == .empty)
    }

    /// Answers a request that could not be read. What follows it on the connection has no meaning.
    func refuseUnread(_ fault: RequestFault) {
        DenialLog.count(fault.denial)
        write(GatewayAnswer(fault.denial, to: nil), isToHead: false, closes: true)
        linger()
    }

    /// - Parameter requestIsComplete: whether the body was read; otherwise the connection ends with the answer.
    func answer(_ answer: GatewayAnswer, to head: RequestHead, requestIsComplete: Bool) {
        let closes = !head.keepsConnection || !requestIsComplete || isDraining || head.offersUpgrade
        write(answer, isToHead: head.method == "HEAD", closes: closes)
        exchangeEnded(closes: closes, requestIsComplete: requestIsComplete)
    }

    func write(_ answer: GatewayAnswer, isToHead: Bool, closes: Bool) {
        var buffer = makeBuffer(capacity: 1024)
        answer.write(
            to: &buffer, date: gateway.rules.authorizer.now().httpDate, protection: gateway.protection,
            isToHead: isToHead, closes: closes)
        write(buffer)
    }
}
