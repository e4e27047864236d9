import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import Hummingbird

extension Endpoint {
    /// Creates an account and logs it in.
    static let signUp = Endpoint(
        Operation(
            .post, "/auth/signup", "signUp", "Make an account and log it in",
            details: "Only where sign-up is open; otherwise 404.", tag: .sessions,
            answers: [
                Answer(
                    .created, "Signed up, as after a login.", .json(SessionAnswer.schema), headers: [.sessionCookie])
            ],
            denials: [.notFound, .accountExists, .rateLimited, .loginHostOnly, .unavailable]),
        reads: .jsonOrForm(.email, .newPassword(), .remember, .client)
    ) { call, fields in
        guard call.accounts.isSignUpOpen else { throw Denial.notFound }
        try call.requireLoginHost()
        let login = try call.login(await fields())
        let proof = try await call.accounts.signUp(login.email, login.password, from: call.device)
        return call.answer(new: try await call.sessions.begin(proof, login.session), status: .created)
    }
}
