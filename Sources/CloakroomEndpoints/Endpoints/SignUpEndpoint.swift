import CloakroomCore
import CloakroomService
import Hummingbird

extension Endpoint {
    /// `POST /auth/signup` `{email, password}`: makes an account and logs it in.
    static let signUp = Endpoint(.post, "/auth/signup", takesForms: true) { call in
        guard call.service.isSignUpOpen else { throw Denial.notFound }
        return call.answer(new: try await call.service.signUp(try await call.login()), status: .created)
    }
}
