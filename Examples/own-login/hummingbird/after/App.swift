// An app with a login of its own.
import Foundation
import Hummingbird
import OwnLoginSupport

@main
struct App {
    static func main() async throws {
        let router = Router()
        router.post("login") { request, context in
            guard let user = try User.find(await request.decode(as: Login.self, context: context)) else {
                throw HTTPError(.unauthorized, message: "wrong e-mail address or password")
            }
            return EditedResponse(headers: try await cookies(for: user, request), response: ["id": user.id])
        }
        router.get("me") { request, _ in
            let claims = try JSONDecoder().decode(Claims.self, from: Data(request.header("X-Auth-Claims").utf8))
            return Profile(id: request.header("X-Auth-Subject"), roles: claims.roles)
        }
        let address = BindAddress.hostname("127.0.0.1", port: Int(try variable("PORT")) ?? 3000)
        try await Application(router: router, configuration: .init(address: address)).runService()
    }
}

func cookies(for user: User, _ request: Request) async throws -> HTTPFields {
    let names = ["origin", "sec-fetch-site", "cookie", "user-agent"]
    var browser = ["method": request.method.rawValue, "host": request.head.authority ?? ""]
    browser["ip"] = request.header("X-Forwarded-For")
    for field in request.headers where names.contains(field.name.canonicalName) {
        browser[field.name.canonicalName.replacing("-", with: "_")] = field.value
    }
    let session = NewSession(subject: user.id, claims: ["roles": user.roles], browser: browser)
    let begun: BegunSession = try await post(session, to: variable("SERVICE_URL"), bearer: variable("SERVICE_KEY"))
    return HTTPFields(setting: begun.set_cookie)
}
