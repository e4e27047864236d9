import { bearerClient } from "/bearer.js";

export const { login, logout, api, address } = bearerClient({
  read: () => JSON.parse(localStorage.getItem("tokens")),
  write: (tokens) => localStorage.setItem("tokens", JSON.stringify(tokens)),
  clear: () => localStorage.removeItem("tokens"),
});
