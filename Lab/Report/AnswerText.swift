/// What the report says in words.
enum AnswerText {
    static let title = "Where do I store the JWT?"

    /// The answer, a sentence each.
    static let answer = [
        "Put both tokens into one cookie that the server sets: HttpOnly, Secure, SameSite=Lax, with the __Host-Http- prefix, and check on the server where each request that changes something comes from.",
        "Whatever script can read, script can send away: from localStorage, sessionStorage or a readable cookie one injected line takes the tokens to another machine, where they work until they expire.",
        "A variable in memory only moves the theft: script that was there first hears each token pass, and script that comes later asks for one of its own where the refresh token is a cookie.",
        "A service worker does keep the tokens from the page, but it puts them on every request that passes it, those of other sites' forms included.",
        "An HttpOnly cookie cannot be read by any script, but HttpOnly alone is not enough: with SameSite=None any site can use it, and with SameSite=Lax any sibling host can (another host under the same domain, such as blog.example.com beside app.example.com), by forms and by WebSockets.",
        "A login server that answers a reverse proxy with the token must not answer a page in the same way: where the check of forward-auth is a path that pages reach, script reads the token from its headers, HttpOnly or not; it belongs on a listener of its own.",
        "Without the prefix, which has browsers take such a cookie from this very host's server and nobody else, script or a sibling host plants the attacker's cookie, and the victim works in the wrong account.",
        "Tokens that script holds find their way into addresses, and so into logs; and tokens that the server does not remember outlive the logout.",
        "Nothing that is stored anywhere stops script from using the page while it is open, from logging in as somebody else, or from overhearing a password that is typed; what helps is a Content Security Policy that keeps the script out, asking again before what matters (step-up, best with a passkey, which cannot be overheard), and a server that hands out no service worker that it does not know, so that a moment's script does not stay for months.",
        "A copied cookie jar works at once, anywhere; short-lived access tokens and rotation (every renewal replaces the refresh token, and an old one that comes back ends the session) find it out once victim and thief have drifted apart, usually within a renewal or two.",
        "A copy that is used while the victim stays away is found out by nothing but a key that cannot be copied.",
    ]

    static let notTried = """
        Safari (WebKitGTK knows no cookie prefixes, Safari does), Chrome and Edge as their makers ship them, hardware keys, \
        passkeys. Everything is plain HTTP on one machine, where browsers take Secure cookies as if it were HTTPS, but for \
        WebKit: there Cloakroom's cookie has no prefix, and what holds in WebKit holds without it. Third-party cookies are \
        allowed, as Chrome has them, and Cloakroom's limit for logins is off. The bank has no Content Security Policy that \
        would keep the script out, for the question is what happens when it is in. The tutorials' servers keep no list \
        of sessions and do not rotate, as the tutorials have it: what happens to a copied profile is theirs to answer for as \
        much as the storage's, and a copy of a profile is taken from what the browser itself reads or sends. Access tokens \
        live two seconds here and the straggler window is one second, so that a run takes minutes.
        """

    /// What stands for a verdict in a table.
    static func mark(_ verdict: String) -> String {
        switch verdict {
        case "falls": "✗ falls"
        case "holds": "✓ holds"
        case "found out": "◐ found out"
        case "-": "–"
        default: "?"
        }
    }
}
