import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// The bank's pages and its API, the same for every storage choice.
struct BankRoutes {
    let bank: Bank
    /// Script of an attacker in the page from its first moment, by host: a compromised dependency.
    let injections: Injections
    /// Whose request it is; throws when nobody's.
    let whose: @Sendable (Request, BasicSessionRequestContext) async throws -> String
    /// Refuses a request whose authentication is not fresh enough for the limit.
    let checkFresh: @Sendable (BasicSessionRequestContext) throws -> Void

    func add(to router: Router<BasicSessionRequestContext>, client: [UInt8]) {
        router.get("/") { request, _ in
            let host = String((request.head.authority ?? "").prefix { $0 != ":" })
            let injected = injections[host].map { "<script src=\"\($0)\"></script>" } ?? ""
            let html = String(decoding: PackageResources.bank_html, as: UTF8.self)
            var response = Response.page(html.replacing("{{injected}}", with: injected))
            // The attacks begin where script is in the page already, whatever policy should have kept it out.
            response.headers[.contentSecurityPolicy] = "default-src * data: blob: 'unsafe-inline' 'unsafe-eval'"
            return response
        }
        router.get("/bank.js") { _, _ in Response.script(PackageResources.bank_js) }
        router.get("/bearer.js") { _, _ in Response.script(PackageResources.bearer_js) }
        router.get("/client.js") { _, _ in Response.script(client) }
        router.get("/api/account") { request, context in
            let account = bank.account(try await whose(request, context))
            guard let account else { throw HTTPError(.unauthorized) }
            return Response.answer([
                "email": .string(account.email), "balance": .integer(Int64(account.balance)),
                "limit": .integer(Int64(account.limit)), "secret": .string(account.secret),
            ])
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
}
