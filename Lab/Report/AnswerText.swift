/// The report's fixed sentences.
enum AnswerText {
    static let title = "Where do I store the JWT?"

    /// The answer, a sentence each.
    static let answer = [
        "Put both tokens into one cookie that the server sets: HttpOnly, Secure, SameSite=Lax, with the __Host-Http- prefix. Check the origin of each request that changes something.",
        "Script can send every token that it can read to another machine, where the token works until it expires. One injected line is enough for localStorage, sessionStorage and a cookie without HttpOnly.",
        "A JavaScript variable does not prevent token theft: script that runs before the app intercepts each token. Where the refresh token is in a cookie, script that runs later requests an access token of its own.",
        "A service worker keeps tokens from script in the page, but adds them to every request that passes it, also to the forms of other sites (CSRF).",
        "Script cannot read an HttpOnly cookie, but HttpOnly alone does not prevent CSRF. With SameSite=None every site can use the cookie. With SameSite=Lax every sibling host can (another host under the same domain, such as blog.example.com beside app.example.com), by forms and by WebSockets.",
        "A login server that answers a reverse proxy with the token must not answer a page in the same way. If the check for forward-auth is a path that pages can call, script reads the token from the response's headers in spite of HttpOnly. The check belongs on a listener of its own.",
        "With the prefix browsers accept the cookie only from this host's server. Without it script (session fixation by XSS) or a sibling host (cookie tossing) sets the attacker's cookie, and the victim works in the attacker's account.",
        "Apps put tokens that script holds into URLs, and servers log URLs. Tokens that the server keeps no record of stay valid after logout.",
        "No place for tokens prevents session riding, forced login and password theft by script in the page. What helps is a Content Security Policy that keeps the script out, step-up before sensitive actions (best with a passkey, which script cannot read), and a server that answers requests for service workers only for those that it knows, so that an XSS does not outlive its fix.",
        "Stolen cookies work on another machine at once. Short-lived access tokens and rotation (each renewal replaces the refresh token, and a reused one revokes the session) detect the copy when victim and attacker both renew, usually within one or two renewals.",
        "A copy that is used while the victim is away is prevented only by a key that cannot be copied (device binding).",
    ]

    static let notTried = """
        Safari (WebKitGTK does not know cookie prefixes, Safari does), Chrome and Edge as their vendors ship them, hardware \
        keys, passkeys. All connections are plain HTTP on one machine. Chromium and Firefox treat it like HTTPS for Secure \
        cookies, WebKit does not: there Cloakroom's cookie has no prefix, and what holds in WebKit holds without the prefix. \
        Third-party cookies are allowed, as in Chrome, and Cloakroom's limit for failed logins is off. The bank's Content \
        Security Policy blocks no script, because the attacks begin with script in the page. The tutorials' servers keep no \
        record of sessions and do not rotate, as in the tutorials; what a replay achieves is due to that as much as to the \
        place of the tokens. The copy of a profile is made from what script reads or the browser sends. Access tokens live \
        two seconds and the straggler window is one second, so that a run takes minutes.
        """

    /// The mark and the word for a verdict in tables.
    static func mark(_ verdict: String) -> String {
        switch verdict {
        case "falls": "✗ falls"
        case "holds": "✓ holds"
        case "detected": "◐ detected"
        case "-": "–"
        default: "?"
        }
    }

    /// The meaning of the marks.
    static let legend: [(verdict: String, meaning: String)] = [
        ("falls", "the attack succeeded"), ("holds", "the attack failed"),
        ("detected", "it succeeded, then the session was revoked"),
        ("-", "does not apply"),
    ]
}
