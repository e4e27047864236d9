import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import Hummingbird

extension Endpoint {
    /// `POST /auth/signup` `{email, password}`: makes an account and logs it in.
    static let signUp = Endpoint(.post, "/auth/signup", takesForms: true) { call in
        guard call.accounts.isSignUpOpen else { throw Denial.notFound }
        let login = try await call.login()
        let proof = try await call.accounts.signUp(login.email, login.password, from: call.device)
        return call.answer(new: try await call.sessions.begin(proof, login.session), status: .created)
    }
}
