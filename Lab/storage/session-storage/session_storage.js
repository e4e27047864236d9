import { bearerClient } from "/bearer.js";

export const { login, api } = bearerClient({
  read: () => JSON.parse(sessionStorage.getItem("tokens")),
  write: (tokens) => sessionStorage.setItem("tokens", JSON.stringify(tokens)),
});
