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
            return try ["access_token": sign(user, minutes: 5), "refresh_token": sign(user, minutes: 60 * 24 * 30)]
        }
        router.get("me") { request, _ in
            let claims = try verify(request.header("Authorization"))
            return Profile(id: claims.sub ?? "", roles: claims.roles)
        }
        let address = BindAddress.hostname("127.0.0.1", port: Int(try variable("PORT")) ?? 3000)
        try await Application(router: router, configuration: .init(address: address)).runService()
    }
}
