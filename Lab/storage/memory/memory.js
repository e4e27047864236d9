import { bearerClient } from "/bearer.js";

let held;
export const { login, api } = bearerClient({ read: () => held, write: (tokens) => (held = tokens) });
