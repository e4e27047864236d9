import ArgumentParser
import CloakroomCore
import CloakroomGateway

/// `cloakroom routes`
struct Routes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the rules of the gateway.", subcommands: [CheckRoute.self])
}

/// `cloakroom routes check`
struct CheckRoute: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say which rule decides about a request.",
        discussion: "Exits 0 where a rule matches, 1 where none does, and 2 for a path that the gateway refuses.")

    @OptionGroup(title: DataSettings.title) var storeOptions: StoreOptions
    @OptionGroup(title: GatewaySettings.title) var gateway: SettingsFlags<GatewaySettings>
    @Argument(help: "The method, such as GET.") var method: String
    @Argument(help: "Path and query, as a client sends them.") var path: String

    func run() throws {
        guard let table = try storeOptions.settings(gateway.values).routes else {
            Terminal.complain("there is no gateway: neither upstream nor routes is given")
            throw ExitCode.failure
        }
        switch RouteCheck(table, method: method.uppercased(), target: path) {
        case .own(let path): Terminal.print("\(path) is Cloakroom's own")
        case .route(let index, let route): Terminal.print("rule \(index): \(route.summary)")
        case .none(let path):
            Terminal.complain("no rule matches \(method.uppercased()) \(path): the answer is 404")
            throw ExitCode.failure
        case .refused(let reason):
            Terminal.complain("the answer is 400: \(reason)")
            throw ExitCode(2)
        }
    }
}

extension Route {
    fileprivate var summary: String {
        let methods = methods.map { " [\($0.sorted().joined(separator: ", "))]" } ?? ""
        let claims = claims.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let upstream = upstream.addresses.map(\.description).joined(separator: ", ")
        return "\(pattern)\(methods) needs \(need)\(claims) and goes to \(upstream)"
    }

    private var need: String {
        switch access {
        case .open: "no session"
        case .session(nil): "a session"
        case .session(let demand?):
            "step-up\(demand.maximumAge.map { " within \($0.wholeSeconds) s" } ?? "") at acr \(demand.minimumLevel.rawValue)"
        }
    }
}
