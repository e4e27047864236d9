import CloakroomMiddleware
import Foundation
import HTTPTypes
import Hummingbird

/// The bank's pages and its API, the same for every storage choice.
struct BankRoutes {
    let bank: Bank
    let pages: PagesByHost
    /// The e-mail address of the account that a request is authenticated for; throws for one without authentication.
    let whose: @Sendable (Request, BasicSessionRequestContext) async throws -> String
    /// Throws for a request whose authentication is too old to change the limit.
    let checkFresh: @Sendable (BasicSessionRequestContext) throws -> Void

    /// - Parameter client: the storage choice's script, as a path in the lab's folder.
    func add(to router: Router<BasicSessionRequestContext>, client: String) {
        router.get("/") { request, _ in try page(pages[request.hostName]) }
        let scripts = [
            "/bank.js": "Bank/bank.js", "/bearer.js": "Bank/bearer.js", "/offline.js": "Bank/offline.js",
            "/client.js": client,
        ]
        for (path, file) in scripts {
            router.get(RouterPath(path)) { _, _ in Response.script(try LabFile.text(file)) }
        }
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

    private func page(_ parts: PageParts) throws -> Response {
        let injected = parts.injected.map { "<script src=\"\($0)\"></script>" } ?? ""
        let offline = "<script>navigator.serviceWorker.register('/offline.js')</script>"
        let scripts = injected + (parts.hasOfflineWorker ? offline : "")
        let html = try LabFile.text("Bank/bank.html").replacing("{{scripts}}", with: scripts)
        return .page(html, connectsOnlyHome: parts.connectsOnlyHome)
    }

    private func statement(_ account: Bank.Account, _ parts: PageParts) -> Response {
        let picture = parts.picture.map { "<img src=\"\($0)\" alt=\"\">" } ?? ""
        return .page("<!doctype html><title>Statement</title><p>\(account.email): \(account.balance)</p>\(picture)")
    }

    /// JSONP, as it was common before CORS: the response is a script, and the request chooses its text.
    private func rates(_ request: Request) -> Response {
        let callback = request.uri.queryParameters["callback"].map(String.init) ?? "rates"
        return .script("\(callback.removingPercentEncoding ?? callback)({\"EUR\":1});")
    }
}

extension Request {
    /// The host of the `Host` header, without the port.
    var hostName: String { String((head.authority ?? "").prefix { $0 != ":" }) }
}
