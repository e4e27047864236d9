import CloakroomMiddleware
import CloakroomTokens
import Crypto
import NIOHTTP1
import Synchronization

/// Remembers which questions to `/auth/check` are allowed to whoever has a good session, with what the answer looks like.
///
/// That was decided by the endpoint itself, behind every middleware: nothing about origins, hosts and proxies is decided
/// here a second time. Whether the session is good is asked of the very verifier that the endpoint asks, each time.
final class KnownChecks: Sendable {
    let authorizer: SessionAuthorizer
    private let templates = Mutex<[SHA256Digest: AnswerTemplate]>([:])
    private let capacity: Int

    /// - Parameter capacity: kinds of questions; each takes about a kilobyte. When they are too many all are forgotten, so
    ///   that a flood of them costs speed, never memory.
    init(_ authorizer: SessionAuthorizer, capacity: Int = 4096) {
        self.authorizer = authorizer
        self.capacity = capacity
    }

    /// What a known question is answered with; nil for one that must go the long way.
    func answer(to question: CheckQuestion) -> (template: AnswerTemplate, access: VerifiedAccess)? {
        guard let template = templates.withLock({ $0[question.key] }),
            let access = authorizer.admit(cookie: question.cookie)
        else { return nil }
        return (template, access)
    }

    /// Takes note of what the endpoint has answered.
    func learn(_ response: HTTPResponseHead, to question: CheckQuestion) {
        guard templates.withLock({ $0[question.key] == nil }),
            let access = authorizer.liveAccess(ofCookie: question.cookie),
            let template = AnswerTemplate(of: response, allowing: access)
        else { return }
        templates.withLock { templates in
            if templates.count >= capacity { templates.removeAll() }
            templates[question.key] = template
        }
    }
}
