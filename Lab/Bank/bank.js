// The bank's page. `client.js` belongs to the storage choice: it logs in, renews and sends requests.
import * as client from "/client.js";

const at = (id) => document.getElementById(id);
// A page cannot set headers for WebSockets, frames and downloads: where script holds the token, it goes into the URL.
const address = client.address ?? ((path) => path);
let pending;
let wasInside = false;

const show = async () => {
  const response = await client.api("GET", "/api/account");
  at("inside").hidden = !response.ok;
  at("login").hidden = response.ok;
  if (!response.ok) return;
  wasInside = true;
  const account = await response.json();
  at("who").textContent = account.email;
  at("balance").textContent = account.balance;
  at("limit").textContent = account.limit;
  at("secret").textContent = account.secret;
};

const on = (id, act) =>
  at(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    await act();
    await show();
  });

on("login", () => client.login(at("email").value, at("password").value));
on("transfer", () => client.api("POST", "/api/transfer", { to: at("to").value, amount: Number(at("amount").value) }));
on("change", async () => {
  pending = { limit: Number(at("new-limit").value) };
  const response = await client.api("POST", "/api/limit", pending);
  at("fresh").hidden = response.status !== 401;
});
on("fresh", async () => {
  await client.stepUp(at("again").value);
  await client.api("POST", "/api/limit", pending);
});
on("watch", () => {
  const socket = new WebSocket(new URL(address("/api/live"), location.href.replace(/^http/, "ws")));
  socket.onmessage = ({ data }) => (at("news").value = data);
  socket.onclose = () => (at("news").value ||= "refused");
});
on("print", () => (at("paper").src = address("/api/statement")));
on("leave", async () => {
  wasInside = false;
  await client.logout();
});

await client.ready?.();
await show();
// Polls, and so renews now and then, as an open page does. At random intervals, so that it does not fall into step with
// an attacker, and also after a refusal, as a user who reloads does.
const again = async () => {
  if (wasInside) await show().catch(() => {});
  setTimeout(again, 300 + Math.random() * 400);
};
again();
document.body.dataset.ready = "yes";
