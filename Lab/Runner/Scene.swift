import Foundation

/// One cell of the matrix while it is played: a victim at a bank, and an attacker on other hosts. Each cell has hosts of
/// its own, so that cells share no cookies.
struct Scene: Sendable {
    let name: String
    let target: Target
    let attacker: AttackerServer
    let browser: LabBrowser
    let victim: Bank.Account
    let thief: Bank.Account

    static let password = "correct horse battery"

    /// - Parameter name: unique in the run, and valid in a host name.
    init(_ name: String, _ target: Target, _ attacker: AttackerServer, _ browser: LabBrowser) async throws {
        self.name = name
        self.target = target
        self.attacker = attacker
        self.browser = browser
        let host = "app.\(name).localhost"
        victim = try await target.open("victim.\(name)@example.com", password: Self.password, host: host)
        thief = try await target.open("thief.\(name)@example.com", password: Self.password, host: host)
    }

    var host: String { "app.\(name).localhost" }
    var siblingHost: String { "sib.\(name).localhost" }
    var origin: String { "http://\(host):\(target.server.port)" }
    var attackerOrigin: String { "http://evil.localhost:\(attacker.server.port)" }
    var siblingOrigin: String { "http://\(siblingHost):\(attacker.server.port)" }

    // MARK: The victim

    func openBank() async throws {
        do {
            try await browser.open(origin + "/")
            try await ready()
        } catch {
            // WebKitGTK sometimes does not finish a load; a second one does.
            try await browser.open(origin + "/")
            try await ready()
        }
    }

    private func ready() async throws {
        try await wait("the bank's page", seconds: 6) {
            try await browser.run("return document.body?.dataset.ready ?? ''") == "yes"
        }
    }

    func logIn() async throws {
        try await openBank()
        try await fillInLogin()
        try await wait("the victim to be logged in") { try await shownAccount() == victim.email }
    }

    /// Logs in like `logIn`, and accepts a refusal.
    func tryToLogIn() async throws {
        let path = target.storage.isOurs ? "/auth/login" : "/login"
        try await fillInLogin()
        try await wait("the login to be answered") { !requests("POST", path).isEmpty }
        try await pause(0.5)
    }

    private func fillInLogin() async throws {
        try await browser.type("#email", victim.email)
        try await browser.type("#password", victim.password)
        try await browser.click("#go")
    }

    func logOut() async throws {
        try await browser.click("#out")
        try await wait("the victim to be logged out") { try await shownAccount().isEmpty }
    }

    /// The address of the account that the page shows; empty when it shows the login form.
    func shownAccount() async throws -> String {
        try await browser.run(
            "return document.getElementById('inside').hidden ? '' : document.getElementById('who').textContent"
        ).stringValue ?? ""
    }

    /// For reports: without the cell's own addresses, which would make equal results differ.
    func whose(_ shown: String) -> String {
        switch shown {
        case "": "no account"
        case victim.email: "the victim's account"
        case thief.email: "the attacker's account"
        default: "the account of \(shown)"
        }
    }

    // MARK: What the servers recorded

    var victimNow: Bank.Account { target.bank.account(victim.email) ?? victim }
    var thiefNow: Bank.Account { target.bank.account(thief.email) ?? thief }

    /// The requests that the bank received under this cell's host.
    func requests(_ method: String, _ path: String) -> [LoggedRequest] {
        target.log.of(host: host).filter { $0.method == method && $0.path == path }
    }

    func pause(_ seconds: Double) async throws {
        try await Task.sleep(for: .seconds(seconds))
    }
}
