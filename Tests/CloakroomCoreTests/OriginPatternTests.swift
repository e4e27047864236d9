import Testing

@testable import CloakroomCore

@Suite struct OriginPatternTests {
    @Test(
        "a pattern is one origin, an origin of an app, or one label below a domain",
        arguments: [
            ("https://www.example.com", "https://www.example.com"),
            ("https://www.example.com:443", "https://www.example.com"),
            ("http://localhost:5173", "http://localhost:5173"), ("http://tauri.localhost", "http://tauri.localhost"),
            ("capacitor://localhost", "capacitor://localhost"), ("ionic://localhost", "ionic://localhost"),
            ("tauri://localhost", "tauri://localhost"), ("capacitor://app.example.com", "capacitor://app.example.com"),
            ("https://*.preview.example.com", "https://*.preview.example.com"),
            ("https://*.example.com", "https://*.example.com"),
            ("https://*.example.com:443", "https://*.example.com"),
            ("https://*.example.com:8443", "https://*.example.com:8443"),
            ("https://*.shop.pages.dev", "https://*.shop.pages.dev"), ("http://*.localhost", "http://*.localhost"),
            ("http://*.app.localhost:5173", "http://*.app.localhost:5173"),
        ])
    func accepted(_ text: String, _ canonical: String) throws {
        let pattern = try #require(OriginPattern(parsing: text))
        #expect(pattern.description == canonical)
        #expect(OriginPattern(parsing: canonical) == pattern)
    }

    @Test(
        "any other text is not a pattern",
        arguments: [
            "", "*", "null", "https://*", "https://*.", "https://*:443", "https://*.*.example.com",
            "https://a.*.example.com", "https://pr-*.example.com", "https://**.example.com", "https://*example.com",
            "*.example.com", "*://*.example.com", "https://*.example.com/", "https://*.example.com:*",
            "https://*.example.com.", "https://*..example.com", "http://*.example.com", "https://*.EXAMPLE.com",
            "https://u@*.example.com", "ftp://*.example.com", "capacitor://*.localhost", "tauri://*",
            "capacitor://", "capacitor://localhost:1", "capacitor://localhost/", "Capacitor://localhost",
            "file://localhost", "app://localhost", "data://a", "blob:https://a.example", "chrome-extension://abc",
            "https://*.0.0.1", "https://*.10.0.0.1", "https://*.a.0x7f", "https://*.[::1]",
        ])
    func refused(_ text: String) {
        #expect(OriginPattern(parsing: text) == nil)
    }

    @Test(
        "no wildcard is accepted below a domain in which anybody can get a name",
        arguments: [
            "com", "dev", "internal", "co.uk", "com.au", "or.jp", "com.br", "org.uk", "me.uk", "uk.com", "eu.org",
            "github.io", "gitlab.io", "vercel.app", "netlify.app", "pages.dev", "workers.dev", "web.app",
            "herokuapp.com", "fly.dev", "onrender.com", "up.railway.app", "azurewebsites.net", "cloudfront.net",
            "s3.amazonaws.com", "s3-website.eu-west-1.amazonaws.com", "amazonaws.com", "blob.core.windows.net",
            "a.run.app", "run.app", "uc.r.appspot.com", "westeurope.azurestaticapps.net", "app.github.dev",
            "ngrok-free.app", "trycloudflare.com", "10.0.0.1.nip.io", "duckdns.org", "myshopify.com",
        ])
    func shared(_ domain: String) {
        #expect(OriginPattern(parsing: "https://*.\(domain)") == nil)
        #expect(OriginPattern(parsing: "https://*.\(domain):8443") == nil)
        #expect(OriginPattern(parsing: "https://shop.\(domain)") != nil)
    }

    @Test(
        "a domain of one owner is not taken for a shared one",
        arguments: [
            "co.example", "example.co", "com.example.com", "mygithub.io", "notamazonaws.com", "co.example.uk",
            "a.co.uk",
            "shop.github.io", "shop.vercel.app", "preview.shop.workers.dev",
        ])
    func owned(_ domain: String) {
        #expect(OriginPattern(parsing: "https://*.\(domain)") != nil)
    }

    @Test(
        "a wildcard stands for exactly one label",
        arguments: [
            ("https://a.preview.example.com", true), ("https://pr-12.preview.example.com", true),
            ("https://xn--bcher-kva.preview.example.com", true), ("https://a_b.preview.example.com", true),
            ("https://\(String(repeating: "a", count: 63)).preview.example.com", true),
            ("https://\(String(repeating: "a", count: 64)).preview.example.com", false),
            ("https://preview.example.com", false), ("https://.preview.example.com", false),
            ("https://a.b.preview.example.com", false), ("https://apreview.example.com", false),
            ("https://evil.com/.preview.example.com", false), ("https://evil.com#.preview.example.com", false),
            ("https://evil.com?.preview.example.com", false), ("https://evil@a.preview.example.com", false),
            ("https://a:b.preview.example.com", false), ("https://a.preview.example.com.evil.com", false),
            ("https://a.preview.example.com:8443", false), ("https://a.preview.example.com/", false),
            ("http://a.preview.example.com", false), ("https://A.preview.example.com", false),
            ("https://*.preview.example.com", false), ("https://a b.preview.example.com", false),
            ("https://\u{E4}.preview.example.com", false), ("https://a%00.preview.example.com", false),
            ("https://", false), ("null", false), ("", false),
        ])
    func oneLabel(_ origin: String, _ expected: Bool) throws {
        #expect(try #require(OriginPattern(parsing: "https://*.preview.example.com")).matches(origin) == expected)
    }

    @Test("a pattern without wildcard matches its own bytes alone")
    func exact() throws {
        for text in ["https://www.example.com", "capacitor://localhost", "http://tauri.localhost"] {
            let pattern = try #require(OriginPattern(parsing: text))
            #expect(pattern.matches(text))
            for other in ["\(text)/", "\(text):1", text.uppercased(), "x\(text)", String(text.dropLast()), "null", ""] {
                #expect(!pattern.matches(other))
            }
        }
        let port = try #require(OriginPattern(parsing: "http://*.localhost:5173"))
        #expect(port.matches("http://shop.localhost:5173") && !port.matches("http://shop.localhost:5174"))
    }
}
