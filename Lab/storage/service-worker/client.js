// The page has no token: its service worker keeps them and adds them to requests.
await navigator.serviceWorker.register("/worker.js");
await navigator.serviceWorker.ready;
while (!navigator.serviceWorker.controller) await new Promise((go) => setTimeout(go, 20));

const send = (method, path, body) =>
  fetch(path, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });

export const login = (email, password) => send("POST", "/login", { email, password });
export const logout = () => send("POST", "/logout");
export const api = send;
