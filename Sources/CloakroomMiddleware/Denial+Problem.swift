package import CloakroomCore
import CloakroomTokens
import HTTPTypes

/// The only file that maps a `Denial` to HTTP: RFC 9457 for the body, RFC 6750 section 3 and RFC 9470 section 3 for
/// `WWW-Authenticate`.
extension Denial {
    package var problem: ProblemAnswer {
        switch self {
        case .invalidRequest(let fields):
            var problem = answer(.badRequest, "The request is malformed.")
            if !fields.isEmpty {
                var errors = JSONObject()
                for (name, reason) in fields.sorted(by: { $0.key < $1.key }) { errors[name] = .string(reason) }
                problem.members["errors"] = .object(errors)
            }
            return problem
        case .unsupportedMediaType:
            return answer(.unsupportedMediaType, "The body must be application/json.")
        case .contentTooLarge:
            return answer(.contentTooLarge, "The body is too large.")
        case .headTooLarge:
            return answer(.requestHeaderFieldsTooLarge, "The request's head is too large.")
        case .targetTooLong:
            return answer(.uriTooLong, "The target of the request is too long.")
        case .expectationFailed:
            return answer(.expectationFailed, "The only expectation that is met is 100-continue.")
        case .notImplemented:
            return answer(.notImplemented, "The method or the transfer coding is not supported.")
        case .versionNotSupported:
            return answer(.httpVersionNotSupported, "The version of HTTP is not supported.")
        case .requestTimeout:
            return answer(.requestTimeout, "The request took too long to arrive.")
        case .crossSiteRequest:
            return answer(.forbidden, "The request comes from another site.")
        case .serviceWorkerRefused:
            return answer(.forbidden, "This path is not among the app's service workers (setting serviceWorkers).")
        case .invalidCredentials:
            return challenge("The credentials are wrong.", error: nil)
        case .sessionMissing:
            // RFC 6750 section 3.1: no error code if the request has no credentials.
            return challenge("There is no session.", error: nil)
        case .tokenInvalid:
            return challenge("The token is invalid.", error: "invalid_token")
        case .tokenExpired:
            return challenge("The token has expired.", error: "invalid_token")
        case .sessionExpired:
            return challenge("The session has expired.", error: "invalid_token")
        case .sessionRevoked:
            return challenge("The session was ended.", error: "invalid_token")
        case .refreshTokenReused:
            return challenge("The refresh token was used before; the session was ended.", error: "invalid_token")
        case .bindingRequired:
            return challenge("The session is bound to a key, and no proof of it came along.", error: "invalid_token")
        case .insufficientUserAuthentication(let challenge):
            return stepUp(challenge)
        case .stepUpUnavailable:
            return answer(.forbidden, "This account cannot reach the authentication level that is demanded.")
        case .rateLimited(let span):
            return answer(.tooManyRequests, "Too many tries.", retryAfter: span)
        case .accountExists:
            return answer(.conflict, "There is an account with this address.")
        case .insufficientClaims:
            return answer(.forbidden, "The session lacks a claim that is demanded.")
        case .serviceKeyInvalid:
            return challenge("The service key is missing, wrong or expired.", error: nil)
        case .serviceScope:
            return answer(.forbidden, "The service key does not allow this call.")
        case .serviceOnly:
            return answer(.forbidden, "Only backends may call this, not browsers.")
        case .subjectBlocked:
            return answer(.conflict, "This user is blocked.")
        case .loginHostOnly:
            return answer(.forbidden, "Passwords are taken at the login host alone.")
        case .misdirectedRequest:
            return answer(.misdirectedRequest, "This host is not ours.")
        case .notFound:
            return answer(.notFound, "There is nothing here.")
        case .methodNotAllowed(let allowed):
            var problem = answer(.methodNotAllowed, "The method is not allowed here.")
            problem.headers[.allow] = allowed.joined(separator: ", ")
            return problem
        case .unavailable(let span):
            return answer(.serviceUnavailable, "The service is busy or unavailable.", retryAfter: span)
        case .upstreamUnavailable:
            return answer(.badGateway, "The service behind the gateway cannot be reached.")
        case .upstreamTimeout:
            return answer(.gatewayTimeout, "The service behind the gateway did not answer in time.")
        }
    }

    private func answer(_ status: HTTPResponse.Status, _ title: String, retryAfter: Span? = nil) -> ProblemAnswer {
        var problem = ProblemAnswer(status: status, title: title, code: code)
        if let retryAfter { problem.headers[.retryAfter] = String(max(1, retryAfter.secondsToWait)) }
        return problem
    }

    private func challenge(_ title: String, error: String?) -> ProblemAnswer {
        var problem = answer(.unauthorized, title)
        let parameters = error.map { ", error=\"\($0)\", error_description=\"\(title)\"" } ?? ""
        problem.headers[.wwwAuthenticate] = "Bearer realm=\"cloakroom\"\(parameters)"
        return problem
    }

    private func stepUp(_ challenge: StepUpChallenge) -> ProblemAnswer {
        var problem = self.challenge("A fresh or stronger authentication is needed.", error: code)
        var parameters = ""
        if let age = challenge.maximumAge {
            parameters += ", max_age=\"\(age.wholeSeconds)\""
            problem.members["max_age"] = .integer(age.wholeSeconds)
        }
        if !challenge.acceptedLevels.isEmpty {
            let levels = challenge.acceptedLevels.joined(separator: " ")
            parameters += ", acr_values=\"\(levels)\""
            problem.members["acr_values"] = .string(levels)
        }
        problem.headers[.wwwAuthenticate] = (problem.headers[.wwwAuthenticate] ?? "") + parameters
        return problem
    }
}
