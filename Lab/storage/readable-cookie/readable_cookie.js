import { bearerClient } from "/bearer.js";

const read = (name) => document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1];

export const { login, api } = bearerClient({
  read: () => ({ access_token: read("access_token"), refresh_token: read("refresh_token") }),
  write: (tokens) => {
    for (const [name, value] of Object.entries(tokens)) document.cookie = `${name}=${value}; path=/; max-age=86400; samesite=lax`;
  },
});
