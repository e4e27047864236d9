// Both tokens in HttpOnly cookies: the page only renews after a 401 and sends the request again.
const send = (method, path, body) =>
  fetch(path, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });

export const login = (email, password) => send("POST", "/login", { email, password });
export const logout = () => fetch("/logout", { method: "POST" });
export const api = async (method, path, body) => {
  const response = await send(method, path, body);
  if (response.status !== 401) return response;
  const renewal = await fetch("/refresh", { method: "POST" });
  return renewal.ok ? send(method, path, body) : response;
};
