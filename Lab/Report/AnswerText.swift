/// What the report says in words.
enum AnswerText {
    static let title = "Where do I store the JWT?"

    /// The answer, a sentence each.
    static let answer = [
        "Put both tokens into one cookie that the server sets: HttpOnly, Secure, SameSite=Lax, with the __Host-Http- prefix, and check on the server where each request that changes something comes from.",
        "Whatever script can read, script can send away: from localStorage, sessionStorage or a readable cookie one injected line takes the tokens to another machine, where they work until they expire.",
        "A variable in memory only moves the theft: script that was there first hears each token pass, and script that comes later asks for one of its own where the refresh token is a cookie.",
        "A service worker does keep the tokens from the page, but it puts them on every request that passes it, those of other sites' forms included.",
        "An HttpOnly cookie cannot be read by any script, but an HttpOnly cookie alone is not enough: with SameSite=None any site can use it, and with SameSite=Lax any sibling host can.",
        "Without the prefix, script or a sibling host replaces the cookie by the attacker's own, and the victim works in the wrong account.",
        "Nothing that is stored anywhere stops script from using the page while it is open: that is not a question of storage.",
        "What helps there is to ask again before what matters (step-up), to end sessions quickly, and a Content Security Policy that keeps the script out.",
        "A copied cookie jar works at once, anywhere; rotation finds it out once victim and thief have drifted apart, usually within a renewal or two, and ends the session.",
        "A copy that is used while the victim stays away is found out by nothing but a key that cannot be copied.",
    ]

    static let notTried = """
        Safari (WebKitGTK knows no cookie prefixes, Safari does), Chrome and Edge as their makers ship them, hardware keys, \
        WebSockets, a service worker of the attacker's (it needs a file of theirs on the victim's origin), tokens in URLs and \
        logs. The bank has no Content Security Policy that would stop the script, for the question is what happens when it is \
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
