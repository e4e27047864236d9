/// Domains in which anybody can get a name of their own: registries, and hosting services that give each customer one.
///
/// A wildcard below such a domain would trust every other customer with the sessions of our users. The list has the
/// registries and the services that people use most. It is not the Public Suffix List, which has 10,000 entries and
/// changes each week: a program that is installed once would have an old copy of it. So the documents say that the
/// domain of a wildcard must belong to the operator.
enum SharedDomains {
    /// Whether anybody can get a name one label below this domain.
    /// - Parameter domain: in lower case, without a trailing dot.
    static func contain(_ domain: String) -> Bool {
        let labels = domain.split(separator: ".")
        guard labels.count > 1 else { return true }
        if labels.count == 2, labels[1].utf8.count == 2, registryLabels.contains(String(labels[0])) { return true }
        return customers.contains(domain) || trees.contains { domain == $0 || domain.hasSuffix(".\($0)") }
    }

    /// The labels under which the registries of countries give out names: `co.uk`, `com.au`, `or.jp`.
    private static let registryLabels: Set<String> = [
        "ac", "asso", "biz", "co", "com", "edu", "gen", "go", "gob", "gouv", "gov", "info", "int", "ltd", "mil",
        "name", "ne", "net", "nom", "or", "org", "plc", "pro", "sch", "web",
    ]

    /// Services that give each customer a name one label below. What is below that name belongs to the customer.
    private static let customers: Set<String> = [
        // Registries
        "asso.fr", "biz.id", "br.com", "cn.com", "co.com", "de.com", "eu.com", "eu.org", "firm.in", "gb.net", "id.au",
        "in.net", "in.th", "ind.in", "jpn.com", "me.uk", "my.id", "pp.ua", "ru.com", "sa.com", "uk.com", "uk.net",
        "us.com", "web.id", "web.za", "za.com",
        // Pages and static files
        "b-cdn.net", "bitbucket.io", "cloudfront.net", "codeberg.page", "edgecompute.app",
        "firebaseapp.com", "framer.app", "framer.website", "github.io", "githubpreview.dev", "gitlab.io", "js.org",
        "kinsta.page", "neocities.org", "netlify.app", "netlify.com", "now.sh", "pages.dev", "r2.dev",
        "readthedocs.io", "statichost.page", "storage.googleapis.com", "surge.sh", "vercel.app", "vercel.dev",
        "web.app", "webflow.io",
        // Sites
        "blogspot.com", "bubbleapps.io", "carrd.co", "ghost.io", "glitch.me", "hashnode.dev", "myshopify.com",
        "pantheonsite.io", "squarespace.com", "tumblr.com", "typedream.app", "weebly.com", "wixsite.com",
        "wixstudio.com", "wordpress.com", "wpengine.com", "wpenginepowered.com",
        // Applications
        "adaptable.app", "azurewebsites.net", "cleverapps.io", "deno.dev", "fly.dev", "gigalixirapp.com",
        "hasura.app", "herokuapp.com", "hf.space", "koyeb.app", "meteorapp.com", "nfshost.com", "northflank.app",
        "on-aptible.com", "ondigitalocean.app", "onrender.com", "platformsh.site", "pythonanywhere.com",
        "railway.app", "render.com", "replit.app", "scalingo.io", "streamlit.app", "supabase.co", "supabase.in",
        "supabase.net", "uber.space", "up.railway.app", "workers.dev", "zeabur.app",
        // Names and tunnels for a machine at home
        "bounceme.net", "ddns.net", "dedyn.io", "duckdns.org", "dyndns.org", "dynv6.net", "freeddns.org",
        "freemyip.com", "hopto.org", "lhr.life", "loca.lt", "myfritz.net", "myqnapcloud.com", "ngrok-free.app",
        "ngrok-free.dev", "ngrok.app", "ngrok.dev", "ngrok.io", "no-ip.org", "nohost.me", "servehttp.com",
        "serveo.net", "synology.me", "sytes.net", "trycloudflare.com", "ts.net", "zapto.org",
        // Development machines
        "csb.app", "stackblitz.io", "webcontainer.io",
    ]

    /// Services whose customers have names at several depths, such as one for each region.
    private static let trees = [
        "akamaized.net", "amazonaws.com", "amazonaws.com.cn", "amplifyapp.com", "app.github.dev", "appspot.com",
        "awsapprunner.com", "azurecontainer.io", "azurecontainerapps.io", "azureedge.net", "azurefd.net",
        "azurestaticapps.net", "cloudapp.azure.com", "cloudapp.net", "cloudfunctions.net", "cloudworkstations.dev",
        "digitaloceanspaces.com", "edgekey.net", "elasticbeanstalk.com", "fastly.net", "github.dev", "gitpod.io",
        "linodeobjects.com", "linodeusercontent.com", "nip.io", "on.aws", "platform.sh", "repl.co", "replit.dev",
        "run.app", "scw.cloud", "sslip.io", "trafficmanager.net", "translate.goog", "vultrobjects.com", "windows.net",
        "xip.io", "yandexcloud.net",
    ]
}
