import CloakroomStores

/// A try as this process judges it, before the store is asked.
struct LoginEstimate: Sendable {
    let requester: LoginRateLimit.Requester
    /// The allowances that strangers, or the holders of sessions, share.
    let common: Result<AllowanceSketch.Receipt, AllowanceShortage>
    /// The hidden allowance of the account in its network, real or pretended; nil when it is spent or there is none.
    let hidden: AllowanceSketch.Receipt?
    /// What the store charges for `hidden`.
    let hiddenInStore: AllowanceSketch.Receipt?

    /// What the store has to charge, each by itself. `hiddenInStore` comes last.
    var receipts: [AllowanceSketch.Receipt] {
        [try? common.get(), hiddenInStore].compactMap(\.self)
    }

    /// Whether the password is checked unless the store refuses the try.
    var mayBeVerified: Bool {
        switch common {
        case .success: true
        case .failure: hidden != nil && requester.familiarity == .own
        }
    }
}

/// The answer to a try.
enum LoginAnswer: Sendable {
    case admitted(LoginAdmission)
    /// - Parameter looksVerified: whether the response must take as long as a verification of the password.
    case refused(Refusal, looksVerified: Bool)
}

/// A try that was charged.
struct LoginAdmission: Sendable {
    /// The response to a wrong password in place of `invalidCredentials`; nil while the allowances of strangers
    /// last.
    let refusal: Refusal?
    /// Whether the hash is computed before those of strangers.
    let isKnownRequester: Bool
    /// What is given back in this process when the password was right.
    let receipts: [AllowanceSketch.Receipt]
    /// What is given back in the store then.
    let shared: [AllowanceReceipt]
}
