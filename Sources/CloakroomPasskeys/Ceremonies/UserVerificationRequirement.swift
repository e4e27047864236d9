/// Whether the authenticator must verify its user by PIN or biometrics (WebAuthn Level 3 section 5.8.6). Raw values are
/// those of the options.
///
/// Browsers do not enforce it: Firefox returns an assertion without user verification where `required` was asked for.
package enum UserVerificationRequirement: String, Hashable, Sendable {
    /// For registrations, for logins without a password, and for every step-up.
    case required
    /// For a second factor beside a password.
    case preferred
    case discouraged

    var isRequired: Bool {
        switch self {
        case .required: true
        case .preferred, .discouraged: false
        }
    }
}
