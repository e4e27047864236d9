import { bearerClient } from "/bearer.js";

const names = ["access_token", "refresh_token"];
const read = (name) => document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1];
const write = (name, value, age) => (document.cookie = `${name}=${value}; path=/; max-age=${age}; samesite=lax`);

export const { login, logout, api, address } = bearerClient({
  read: () => ({ access_token: read("access_token"), refresh_token: read("refresh_token") }),
  write: (tokens) => {
    for (const name of names) if (tokens[name]) write(name, tokens[name], 86400);
  },
  clear: () => {
    for (const name of names) write(name, "", 0);
  },
});
