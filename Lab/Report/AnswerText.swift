/// What the report says in words.
enum AnswerText {
    static let title = "Where do I store the JWT?"

    /// The answer, a sentence each.
    static let answer = [
        "Put both tokens into one cookie that the server sets: HttpOnly, Secure, SameSite=Lax, with the __Host-Http- prefix, and check on the server where each request that changes something comes from.",
        "Whatever script can read, script can send away: from localStorage, sessionStorage or a readable cookie one injected line takes the tokens to another machine, where they work until they expire.",
        "A variable in memory only moves the theft: script that was there first hears each token pass, and script that comes later asks for one of its own where the refresh token is a cookie.",
        "A service worker does keep the tokens from the page, but it puts them on every request that passes it, those of other sites' forms included.",
        "An HttpOnly cookie cannot be read by any script, but an HttpOnly cookie alone is not enough: with SameSite=None any site can use it, and with SameSite=Lax any sibling host can, by forms and by WebSockets.",
        "Without the prefix, script or a sibling host replaces the cookie by the attacker's own, and the victim works in the wrong account.",
        "Tokens that script holds find their way into addresses, and so into logs; and tokens that the server does not remember outlive the logout.",
        "Nothing that is stored anywhere stops script from using the page while it is open; what helps is to ask again before what matters (step-up), a Content Security Policy that keeps the script out, and a server that hands out no service worker that it does not know, so that a moment's script does not stay for months.",
        "A copied cookie jar works at once, anywhere; rotation finds it out once victim and thief have drifted apart, usually within a renewal or two, and ends the session.",
        "A copy that is used while the victim stays away is found out by nothing but a key that cannot be copied.",
    ]

    static let notTried = """
        Safari (WebKitGTK knows no cookie prefixes, Safari does), Chrome and Edge as their makers ship them, hardware keys. \
        The bank has no Content Security Policy that would stop the script, for the question is what happens when it is \
        in. Access tokens live two seconds here and the straggler window is one second, so that a run takes minutes.
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
