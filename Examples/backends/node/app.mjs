// A backend on 127.0.0.1:$PORT. It responds with the user of the access token. npm install ./kits/node
import { createServer } from "node:http";
import { RefusedRequest, ResourceServer } from "cloakroom-resource-server";

const ISSUER = "https://app.example.com"; // your publicURL
const JWKS = "http://127.0.0.1:8080/.well-known/jwks.json";
const PRIVATE_LISTENER = "http://127.0.0.1:8081"; // or unix:/run/cloakroom/private.sock

// One for the process, made when the app is loaded: it fetches the key set and follows the stream of revocations.
const server = new ResourceServer({
  issuer: ISSUER,
  jwks: JWKS,
  revocations: { privateListener: PRIVATE_LISTENER, key: process.env.SERVICE_KEY },
});

/** Middleware for Express and node:http. The claims are in `request.claims`. */
const requireToken = async (request, response, next) => {
  try {
    // `headers` has only the first of two Authorization headers; `headersDistinct` has both.
    request.claims = await server.authorize(request.headersDistinct.authorization);
  } catch (error) {
    if (!(error instanceof RefusedRequest)) return next(error);
    return response.writeHead(error.status, error.headers).end(error.body);
  }
  next();
};

const app = createServer((request, response) => {
  if (request.url === "/readyz") return response.writeHead(server.isReady ? 200 : 503).end();
  requireToken(request, response, (error) => {
    if (error) return response.writeHead(500).end();
    const { sub, sid } = request.claims;
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ sub, sid }));
  });
});
app.listen(process.env.PORT ?? 3000, "127.0.0.1");
