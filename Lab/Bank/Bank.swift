import Synchronization

/// The app that every storage choice protects: a secret to read, money to send, and a limit whose change needs fresh
/// authentication. The lab reads here what an attack has achieved.
final class Bank: Sendable {
    struct Account: Sendable {
        let email: String
        let password: String
        /// A random text that only the owner's pages contain.
        let secret: String
        var balance = 1000
        var limit = 500
    }

    private let accounts = Mutex<[String: Account]>([:])

    func open(_ email: String, password: String) -> Account {
        let secret = "secret-" + (0..<4).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }.joined()
        let account = Account(email: email, password: password, secret: secret)
        accounts.withLock { $0[email] = account }
        return account
    }

    func account(_ email: String) -> Account? {
        accounts.withLock { $0[email] }
    }

    func isRight(_ password: String, for email: String) -> Bool {
        account(email)?.password == password
    }

    /// - Returns: false, without any change, when the sender has too little money.
    func transfer(_ amount: Int, from sender: String, to receiver: String) -> Bool {
        accounts.withLock { accounts in
            guard amount > 0, let balance = accounts[sender]?.balance, balance >= amount else { return false }
            accounts[sender]?.balance -= amount
            accounts[receiver]?.balance += amount
            return true
        }
    }

    func setLimit(_ limit: Int, of email: String) {
        accounts.withLock { $0[email]?.limit = limit }
    }
}
