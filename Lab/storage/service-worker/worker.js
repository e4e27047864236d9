// Holds the tokens in the worker's memory, which script in the page cannot read.
let tokens;

const ask = (path, body) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const withToken = async (request) => {
  const headers = new Headers(request.headers);
  if (tokens) headers.set("Authorization", `Bearer ${tokens.access_token}`);
  const body = request.method === "GET" ? undefined : await request.clone().text();
  return fetch(request.url, { method: request.method, headers, body });
};

const answer = async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/login") {
    const response = await fetch(request);
    if (response.ok) tokens = await response.json();
    return Response.json({}, { status: response.status });
  }
  if (pathname === "/logout") {
    tokens = undefined;
    return fetch(request);
  }
  const response = await withToken(request);
  if (response.status !== 401 || !tokens) return response;
  const renewal = await ask("/refresh", { refresh_token: tokens.refresh_token });
  if (!renewal.ok) return response;
  tokens = { ...tokens, ...(await renewal.json()) };
  return withToken(request);
};

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (origin === location.origin && (["/login", "/logout"].includes(pathname) || pathname.startsWith("/api/"))) {
    event.respondWith(answer(event.request));
  }
});
