import { bearerClient } from "/bearer.js";

let held;
export const { login, logout, api, address } = bearerClient({
  read: () => held,
  write: (tokens) => (held = tokens),
  clear: () => (held = undefined),
});
