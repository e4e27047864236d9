// The bank's page. How it stays logged in is the client's business: each storage choice brings its own.
import * as client from "/client.js";

const at = (id) => document.getElementById(id);
// Sockets, frames and downloads have no headers that a page could write.
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
// People leave their bank open: it asks every now and then, and so renews. Never in step with anybody else, and also
// after a refusal, as people do who press "reload".
const again = async () => {
  if (wasInside) await show().catch(() => {});
  setTimeout(again, 300 + Math.random() * 400);
};
again();
document.body.dataset.ready = "yes";
