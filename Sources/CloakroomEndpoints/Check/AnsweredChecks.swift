import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import NIOHTTP1

/// Remembers which questions to `/auth/check` were allowed, with the bytes of the answer.
///
/// What is remembered was decided by the endpoint itself, behind every middleware: nothing is decided here a second time.
/// On every hit the access token's life, the session's revocation and the keys are looked at anew.
final class AnsweredChecks: Sendable {
    final class Answer: Sendable {
        /// The answer up to its date.
        let bytes: [UInt8]
        fileprivate let access: VerifiedAccess

        fileprivate init(bytes: [UInt8], access: VerifiedAccess) {
            self.bytes = bytes
            self.access = access
        }
    }

    private let authorizer: SessionAuthorizer
    private let answers: VerifiedTokenCache<Keyed>

    private struct Keyed: Sendable {
        let answer: Answer
        let epoch: Int
    }

    /// - Parameter capacity: answers; each takes about two kilobytes.
    init(_ authorizer: SessionAuthorizer, capacity: Int = 16384) {
        self.authorizer = authorizer
        answers = VerifiedTokenCache(capacity: capacity)
    }

    /// To be taken before a question goes the long way, and handed back with its answer.
    var epoch: Int { authorizer.verifier.keyEpoch }

    /// The answer to a question that was allowed before and is allowed now.
    func answer(to question: CheckQuestion) -> Answer? {
        guard let known = answers.value(for: question.key), known.epoch == epoch,
            authorizer.admitsAgain(known.answer.access)
        else { return nil }
        return known.answer
    }

    /// Remembers an answer that allowed, changed nothing, and rests on a cookie's live access token.
    func learn(
        _ response: HTTPResponseHead, to question: CheckQuestion, of request: HTTPRequestHead, since epoch: Int
    ) {
        guard response.status == .noContent, response.headers[canonicalForm: "set-cookie"].isEmpty else { return }
        let credentials = authorizer.credentials(HTTPFields(cookiesOf: request))
        guard case .success(.live(let access, _))? = credentials.cookie,
            response.headers.first(name: "x-auth-session") == access.session.rawValue
        else { return }
        let answer = Answer(bytes: Self.bytes(of: response), access: access)
        answers.store(Keyed(answer: answer, epoch: epoch), for: question.key)
    }

    /// As the encoder writes it, without the date: an answer without content says nothing of its length (RFC 9110 section
    /// 8.6).
    private static func bytes(of head: HTTPResponseHead) -> [UInt8] {
        let left = ["date", "content-length", "transfer-encoding"]
        let fields = head.headers.filter { !left.contains($0.name.lowercased()) }
            .map { "\($0.name): \($0.value)\r\n" }
        return Array("HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n\(fields.joined())".utf8)
    }
}

extension HTTPFields {
    /// What the cookie's name and value depend on.
    fileprivate init(cookiesOf head: HTTPRequestHead) {
        self.init()
        for value in head.headers["cookie"] { append(HTTPField(name: .cookie, value: value)) }
        self[.userAgent] = head.headers.first(name: "user-agent")
    }
}
