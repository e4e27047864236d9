// Verifies the access tokens of a Cloakroom that runs elsewhere, and refuses revoked sessions within a second.
export { UnusableAddress } from "./lib/address.js";
export { RefusedRequest } from "./lib/refused_request.js";
export { ResourceServer } from "./lib/resource_server.js";
