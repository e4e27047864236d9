// The bank's page. How it stays logged in is the client's business: each storage choice brings its own.
import * as client from "/client.js";

const at = (id) => document.getElementById(id);
let pending;

const show = async () => {
  const response = await client.api("GET", "/api/account");
  at("inside").hidden = !response.ok;
  at("login").hidden = response.ok;
  if (!response.ok) return;
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

await client.ready?.();
await show();
// People leave their bank open: it asks every now and then, and so renews.
setInterval(() => at("inside").hidden || show(), 500);
document.body.dataset.ready = "yes";
