import { bearerClient } from "/bearer.js";

export const { login, api } = bearerClient({
  read: () => JSON.parse(localStorage.getItem("tokens")),
  write: (tokens) => localStorage.setItem("tokens", JSON.stringify(tokens)),
});
