import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird

/// A plain HTML form that a browser sends without script: the response is a redirect to a page.
///
/// Only a navigation counts as a form; in Firefox also one that the app's own service worker has passed on. The
/// origin rules are those of every other request.
struct FormSubmission: Sendable {
    /// The texts of the fields, or the reason why they cannot be read.
    let fields: Result<JSONObject, Denial>
    private let request: Request
    /// The trusted origin whose page has the form; nil for the server's own origin.
    private let origin: String?

    /// More fields than any form of the contract has. It bounds the time to parse: each field needs a search through
    /// those before it.
    private static let maximumFields = 32

    /// nil when the request is not a plain form.
    init?(_ request: Request, under policy: OriginPolicy) async {
        let isNavigation = request.headers[.secFetchMode] == "navigate" || request.headers.isLaunderedNavigation
        guard isNavigation, Self.isForm(request.headers[values: .contentType]) else { return nil }
        self.request = request
        origin = request.headers[.origin].flatMap { policy.trusts($0) ? $0 : nil }
        do throws(Denial) {
            fields = .success(try Self.parse(await request.bodyBytes(upTo: Call.maximumBody)))
        } catch {
            fields = .failure(error)
        }
    }

    private static func isForm(_ types: [String]) -> Bool {
        let parts = types.count == 1 ? types[0].lowercased().split(separator: ";") : []
        return parts.first?.trimmingCharacters(in: .whitespaces) == "application/x-www-form-urlencoded"
    }

    /// `application/x-www-form-urlencoded` (WHATWG URL standard, section 5.1), as UTF-8.
    private static func parse(_ bytes: [UInt8]) throws(Denial) -> JSONObject {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .invalidRequest(fields: ["body": "is not UTF-8"])
        }
        let pairs = text.split(separator: "&", maxSplits: maximumFields)
        guard pairs.count <= maximumFields else { throw .invalidRequest(fields: ["body": "has too many fields"]) }
        var fields = JSONObject()
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let name = parts[0], let value = parts.count == 2 ? parts[1] : "" else {
                throw .invalidRequest(fields: ["body": "is not percent-encoded UTF-8"])
            }
            guard fields[name] == nil else { throw .invalidRequest(fields: ["body": "has a field twice"]) }
            fields[name] = .string(value)
        }
        return fields
    }

    /// The redirect after success.
    /// - Parameter response: the endpoint's response to the same fields in JSON.
    func success(_ response: Response) -> Response {
        redirect(to: returnTo.map(absolute) ?? "/auth/pages/account", keeping: response.headers)
    }

    /// The redirect to the page with the form, with the error code in its query.
    func failure(_ denial: Denial, of endpoint: String) -> Response {
        let isSignUp = endpoint == "/auth/signup" && denial != .notFound
        let page = page.map(absolute) ?? "/auth/pages/\(isSignUp ? "signup" : "login")"
        var query = ["error=\(denial.code)"]
        if let returnTo { query.append("return_to=\(SameOriginPath.queryValue(returnTo))") }
        return redirect(to: "\(page)\(page.contains("?") ? "&" : "?")\(query.joined(separator: "&"))", keeping: [:])
    }

    /// A field that every form may have besides those of its endpoint.
    static let returnTo = Field.returnTo

    private var returnTo: String? {
        guard let value = (try? fields.get())?[Self.returnTo.description.name] else { return nil }
        return try? Self.returnTo.read([value]).get()
    }

    /// Path and query of the page with the form, without the error of an earlier failure; nil when `Referer` is
    /// missing, or names another origin than `Origin` does.
    private var page: String? {
        guard let referer = request.headers[.referer], let sender = request.headers[.origin],
            referer.hasPrefix("\(sender)/")
        else { return nil }
        let parts = referer.dropFirst(sender.count).prefix { $0 != "#" }
            .split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let kept = (parts.count == 2 ? parts[1] : "").split(separator: "&")
            .filter { !$0.hasPrefix("error=") && !$0.hasPrefix("return_to=") }
        let page = String(parts[0]) + (kept.isEmpty ? "" : "?\(kept.joined(separator: "&"))")
        return SameOriginPath.isSafe(page) ? page : nil
    }

    /// The path as a URL on the origin of the form.
    private func absolute(_ path: String) -> String {
        (origin ?? "") + path
    }

    private func redirect(to location: String, keeping headers: HTTPFields) -> Response {
        var response = Response(status: .seeOther, headers: [.location: location, .cacheControl: "no-store"])
        for field in headers where field.name == .setCookie { response.headers.append(field) }
        return response
    }
}
