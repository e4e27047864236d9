// The proxy of a development server, from its own configuration file: http-proxy of Debian, the library inside of Vite (to
// version 6), webpack-dev-server and Next, with the options that each of them gives to it.
//   node dev_server.mjs vite|webpack|next CONFIGURATION PORT
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const httpProxy = createRequire(import.meta.url)("http-proxy");
const [kind, file, port] = process.argv.slice(2);
const { default: configuration } = await import(pathToFileURL(file));
const page = `<!doctype html><link rel=icon href="data:,"><script type=module>
import { createSession } from "/auth/client.js";
window.session = createSession();
window.isReady = true;
</script>`;

// Each rule: which paths it takes, and the options of http-proxy.
const readers = {
  vite: ({ server }) =>
    Object.entries(server.proxy).map(([prefix, options]) => ({
      takes: (path) => path.startsWith(prefix),
      // Vite reads a text as a target, and then changes Host as well.
      options: typeof options === "string" ? { target: options, changeOrigin: true } : options,
    })),
  webpack: ({ devServer }) =>
    devServer.proxy.map(({ context, ...options }) => ({
      takes: (path) => context.some((prefix) => path.startsWith(prefix)),
      options,
    })),
  next: async ({ rewrites }) =>
    (await rewrites()).map(({ source, destination }) => {
      const [before, target] = [source, destination].map((text) => text.replace(":path*", ""));
      return {
        takes: (path) => path.startsWith(before),
        options: (path) => ({ target: target + path.slice(before.length), changeOrigin: true, ignorePath: true }),
      };
    }),
};
const rules = await readers[kind](configuration);
const proxy = httpProxy.createProxyServer();
proxy.on("error", (error, request, response) => response.writeHead(502).end(error.message));

createServer((request, response) => {
  const rule = rules.find(({ takes }) => takes(request.url));
  if (!rule) return response.writeHead(200, { "Content-Type": "text/html" }).end(page);
  proxy.web(request, response, typeof rule.options === "function" ? rule.options(request.url) : rule.options);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
