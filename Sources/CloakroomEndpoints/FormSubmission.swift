import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// A plain HTML form, sent by a browser without any script: its answer is a page to go to.
///
/// Only as a navigation, which no script's `fetch` can pretend to be; the origin rules are those of every other request.
struct FormSubmission: Sendable {
    let fields: JSONObject
    private let request: Request

    /// nil for what is no such form.
    /// - Throws: `Denial.contentTooLarge` or `.invalidRequest`.
    init?(_ request: Request) async throws(Denial) {
        guard request.headers[.secFetchMode] == "navigate", Self.isForm(request.headers[values: .contentType]) else {
            return nil
        }
        self.request = request
        fields = try Self.parse(await request.bodyBytes(upTo: Call.maximumBody))
    }

    private static func isForm(_ types: [String]) -> Bool {
        let parts = types.count == 1 ? types[0].lowercased().split(separator: ";") : []
        return parts.first?.trimmingCharacters(in: .whitespaces) == "application/x-www-form-urlencoded"
    }

    /// `application/x-www-form-urlencoded` (WHATWG URL standard, section 5.1), as UTF-8. What a checkbox sends is true.
    private static func parse(_ bytes: [UInt8]) throws(Denial) -> JSONObject {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .invalidRequest(fields: ["body": "is not UTF-8"])
        }
        var fields = JSONObject()
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let name = parts[0], let value = parts.count == 2 ? parts[1] : "" else {
                throw .invalidRequest(fields: ["body": "is not percent-encoded UTF-8"])
            }
            guard fields[name] == nil else { throw .invalidRequest(fields: [name: "comes twice"]) }
            fields[name] = name == "remember" ? .bool(["on", "true", "1"].contains(value)) : .string(value)
        }
        return fields
    }

    /// Where a form that did what it should leads.
    /// - Parameter response: what a script would have been answered.
    func success(_ response: Response) -> Response {
        redirect(to: returnTo ?? "/auth/pages/account", keeping: response.headers)
    }

    /// Back to the page that the form is on, with the reason in its query.
    func failure(_ denial: Denial, of endpoint: String) -> Response {
        let page = page ?? "/auth/pages/\(endpoint == "/auth/signup" ? "signup" : "login")"
        var query = ["error=\(denial.code)"]
        if let returnTo { query.append("return_to=\(SameOriginPath.queryValue(returnTo))") }
        return redirect(to: "\(page)?\(query.joined(separator: "&"))", keeping: [:])
    }

    private var returnTo: String? {
        fields["return_to"]?.stringValue.flatMap { SameOriginPath.isSafe($0) ? $0 : nil }
    }

    /// The path of the page that the form is on. The origin rules have shown that it is one of ours.
    private var page: String? {
        let referer = request.headers[.referer].map { URI($0) }
        return referer.flatMap { $0.host != nil && SameOriginPath.isSafe($0.path) ? $0.path : nil }
    }

    private func redirect(to location: String, keeping headers: HTTPFields) -> Response {
        var response = Response(status: .seeOther, headers: [.location: location, .cacheControl: "no-store"])
        for field in headers where field.name == .setCookie { response.headers.append(field) }
        return response
    }
}
