// An app with the kit, for test_kits.py. OPTIONS has the options of ResourceServer as JSON, with the names of Python.
import assert from "node:assert";
import { createServer } from "node:http";
import { RefusedRequest, ResourceServer } from "cloakroom-resource-server";

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const options = JSON.parse(process.env.OPTIONS, (_, value) =>
  Array.isArray(value) || Object(value) !== value
    ? value
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [camel(name), member])));
const server = new ResourceServer(options);

const answer = async ({ url, headersDistinct }) => {
  if (url === "/state") return { body: { ready: server.isReady, count: server.revocationCount } };
  return { body: await server.authorize(headersDistinct.authorization) };
};

createServer((request, response) =>
  answer(request).then(
    ({ body }) => response.end(JSON.stringify(body)),
    (refused) => {
      assert(refused instanceof RefusedRequest);
      assert.equal(refused.headers["WWW-Authenticate"], refused.wwwAuthenticate);
      response.writeHead(refused.status, refused.headers).end(refused.body);
    })).listen(process.env.PORT, "127.0.0.1");
