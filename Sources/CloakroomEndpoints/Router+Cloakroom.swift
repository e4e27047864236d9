import CloakroomCore
public import CloakroomMiddleware
public import Hummingbird

extension Router where Context: SessionRequestContext {
    /// Adds the endpoints of the contract, and what protects every route that is added after this call: security
    /// headers, CORS for trusted origins, problem answers, the origin check, and the session in the context.
    ///
    /// ```swift
    /// router.addCloakroom(server)
    /// router.get("/me") { _, context in try context.access.subject.rawValue }
    /// ```
    public func addCloakroom(_ server: AuthorizationServer) {
        add(middleware: TraceMiddleware())
        add(middleware: BodilessHead())
        add(middleware: SecurityHeaders(demandsTLS: server.demandsTLS))
        if !server.originPolicy.trustedOrigins.isEmpty {
            add(middleware: CrossOriginSharing(server.originPolicy))
        }
        add(middleware: ProblemMiddleware(logger: server.logger))
        add(middleware: AuthEndpoints(server))
        add(middleware: OriginMiddleware(server.originPolicy, cookie: server.authorizer.cookie, xsrf: server.xsrf))
        add(middleware: SessionMiddleware(server.authorizer, under: server.originPolicy))
    }
}
