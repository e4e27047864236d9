import { createSession } from "/auth/client.js";
import { at, on, say } from "./form.js";

const session = createSession();
const { returnTo, stepUp } = document.querySelector("main").dataset;
let shown;

const show = ({ authenticated, user }) => {
  // A user of an app that keeps its own login has no account here: no e-mail address, and no password to confirm.
  const hasAccount = Boolean(user?.email);
  const wanted = !authenticated ? "login" : stepUp && hasAccount ? "confirm" : "already";
  for (const id of ["login", "confirm", "already"]) at(id).hidden = id !== wanted;
  at("who").textContent = at("confirm-who").textContent = at("confirm-email").value = user?.email ?? "";
  at("as").hidden = !hasAccount;
  at("elsewhere").hidden = hasAccount || !stepUp;
  if (wanted === "confirm" && shown !== wanted) at("confirm-password").focus();
  shown = wanted;
};

const logOut = async () => {
  await session.logout();
  at("email").focus();
};

on("login", "submit", async () => {
  await session.login({ email: at("email").value, password: at("password").value, remember: at("remember").checked });
  location.replace(returnTo);
});
on("confirm", "submit", async () => {
  // The server may postpone a step-up for half a minute (docs/refresh.md); the client waits.
  const notice = setTimeout(() => say("done", "Please wait a moment."), 1000);
  try {
    await session.stepUp({ password: at("confirm-password").value });
    location.replace(returnTo);
  } finally {
    clearTimeout(notice);
    say("done");
  }
});
on("logout", "click", logOut);
on("another", "click", logOut);

session.onChange(show);
at("email").focus();
session.current().catch(() => {});
