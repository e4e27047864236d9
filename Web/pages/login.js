import { createSession } from "/auth/client.js";
import { at, on } from "./form.js";

const session = createSession();
const { returnTo } = document.querySelector("main").dataset;

const show = ({ authenticated, user }) => {
  at("already").hidden = !authenticated;
  at("login").hidden = authenticated;
  at("who").textContent = user?.email ?? "";
};

on("login", "submit", async () => {
  await session.login({ email: at("email").value, password: at("password").value, remember: at("remember").checked });
  location.replace(returnTo);
});
on("logout", "click", async () => {
  await session.logout();
  at("email").focus();
});

session.onChange(show);
at("email").focus();
session.current().catch(() => {});
