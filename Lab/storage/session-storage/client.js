import { bearerClient } from "/bearer.js";

export const { login, logout, api, address } = bearerClient({
  read: () => JSON.parse(sessionStorage.getItem("tokens")),
  write: (tokens) => sessionStorage.setItem("tokens", JSON.stringify(tokens)),
  clear: () => sessionStorage.removeItem("tokens"),
});
