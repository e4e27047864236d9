import CloakroomMiddleware
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird

/// The bank's pages and its API, the same for every storage choice.
struct BankRoutes {
    let bank: Bank
    let pages: PagesByHost
    /// Whose request it is; throws when nobody's.
    let whose: @Sendable (Request, BasicSessionRequestContext) async throws -> String
    /// Refuses a request whose authentication is not fresh enough for the limit.
    let checkFresh: @Sendable (BasicSessionRequestContext) throws -> Void

    func add(to router: Router<BasicSessionRequestContext>, client: [UInt8]) {
        router.get("/") { request, _ in page(pages[request.hostName]) }
        router.get("/bank.js") { _, _ in Response.script(PackageResources.bank_js) }
        router.get("/bearer.js") { _, _ in Response.script(PackageResources.bearer_js) }
        router.get("/offline.js") { _, _ in Response.script(PackageResources.offline_js) }
        router.get("/client.js") { _, _ in Response.script(client) }
        router.get("/rates") { request, _ in rates(request) }
        router.get("/api/account") { request, context in
            let account = try await account(request, context)
            return Response.answer([
                "email": .string(account.email), "balance": .integer(Int64(account.balance)),
                "limit": .integer(Int64(account.limit)), "secret": .string(account.secret),
            ])
        }
        router.get("/api/statement") { request, context in
            statement(try await account(request, context), pages[request.hostName])
        }
        router.get("/api/live") { request, context in
            try Response.socket(try await account(request, context).secret, for: request)
        }
        router.post("/api/transfer") { request, context in
            let sender = try await whose(request, context)
            let body = try await LaxBody(request)
            guard bank.transfer(Int(body["amount"]) ?? 0, from: sender, to: body["to"]) else {
                throw HTTPError(.badRequest)
            }
            return Response.answer(["done": true])
        }
        router.post("/api/limit") { request, context in
            let owner = try await whose(request, context)
            try checkFresh(context)
            bank.setLimit(Int(try await LaxBody(request)["limit"]) ?? 0, of: owner)
            return Response.answer(["done": true])
        }
    }

    private func account(_ request: Request, _ context: BasicSessionRequestContext) async throws -> Bank.Account {
        guard let account = bank.account(try await whose(request, context)) else { throw HTTPError(.unauthorized) }
        return account
    }

    private func page(_ parts: PageParts) -> Response {
        let injected = parts.injected.map { "<script src=\"\($0)\"></script>" } ?? ""
        let offline = "<script>navigator.serviceWorker.register('/offline.js')</script>"
        let html = String(decoding: PackageResources.bank_html, as: UTF8.self)
        return .page(
            html.replacing("{{scripts}}", with: injected + (parts.hasOfflineWorker ? offline : "")),
            connectsOnlyHome: parts.connectsOnlyHome)
    }

    private func statement(_ account: Bank.Account, _ parts: PageParts) -> Response {
        let picture = parts.picture.map { "<img src=\"\($0)\" alt=\"\">" } ?? ""
        return .page("<!doctype html><title>Statement</title><p>\(account.email): \(account.balance)</p>\(picture)")
    }

    /// JSONP, as it was done before CORS and is forgotten about: script of the caller's choosing, from our origin.
    private func rates(_ request: Request) -> Response {
        let callback = request.uri.queryParameters["callback"].map(String.init) ?? "rates"
        return .script(Array("\(callback.removingPercentEncoding ?? callback)({\"EUR\":1});".utf8))
    }
}

extension Request {
    /// The host that the browser asked for, without the port.
    var hostName: String { String((head.authority ?? "").prefix { $0 != ":" }) }
}
