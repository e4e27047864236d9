// Checked against the declarations by `tsc --strict`: documented uses compile, wrong uses do not.
import { type AccessClaims, RefusedRequest, ResourceServer } from "../../kits/node/index.js";

const server: ResourceServer = new ResourceServer({
  issuer: "https://app.example.com",
  host: "shop.example.com",
  algorithms: ["ES256", "Ed25519"],
  revocations: { privateListener: "unix:/run/cloakroom/private.sock", key: "crk_", staleAfter: 3 },
});

export const used = async (values: string[] | undefined): Promise<string> => {
  const claims: AccessClaims = await server.verify("token");
  const { sub, sid, roles } = await server.authorize(values);
  // @ts-expect-error A claim of the app has no known type.
  const role: string = roles;
  server.close();
  return server.isReady ? claims.sub + sub + sid + role : `${server.revocationCount}`;
};

export const response = (error: unknown): number | undefined =>
  error instanceof RefusedRequest && error.code === "session_revoked" && error.wwwAuthenticate ? error.status : undefined;

// @ts-expect-error An issuer is needed.
new ResourceServer({});
// @ts-expect-error A secret signs no access token.
new ResourceServer({ issuer: "https://app.example.com", algorithms: ["HS256"] });
