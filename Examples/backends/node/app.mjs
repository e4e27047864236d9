// A backend on 127.0.0.1:$PORT. It responds with the user of the access token.
import { createServer } from "node:http";
import { requireToken } from "./access_token.mjs";

const server = createServer((request, response) =>
  requireToken(request, response, (error) => {
    if (error) return response.writeHead(500).end();
    const { sub, sid } = request.claims;
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ sub, sid }));
  }));
server.listen(process.env.PORT ?? 3000, "127.0.0.1");
