import { createSession } from "/auth/client.js";
import { at, on, patiently, say, sentence } from "./form.js";
import { api, listSessions } from "./sessions.js";

const session = createSession();
let shown;

const list = () => listSessions(session, (error) => say("message", sentence(error)));

session.onChange(({ authenticated, user, session: { id } = {} }) => {
  if (!authenticated) return location.replace(`/auth/pages/login?return_to=${encodeURIComponent(location.pathname)}`);
  if (shown === id) return;
  shown = id;
  at("who").textContent = at("username").value = user.email ?? "";
  // A user of an app that keeps its own login has no account here: no e-mail address, and no password to change.
  at("as").hidden = at("password-section").hidden = !user.email;
  at("inside").hidden = false;
  list().catch((error) => say("message", sentence(error)));
});

on("logout", "click", () => session.logout());
on("end-others", "click", async () => {
  await api(session, "POST", "/auth/sessions/revoke-others");
  await list();
  say("done", "All other sessions are ended.");
});
on("change", "submit", async (form) => {
  const passwords = { current_password: at("current").value, new_password: at("new").value };
  await patiently(() => api(session, "POST", "/auth/password", passwords));
  form.reset();
  at("username").value = at("who").textContent;
  await session.current();
  await list();
  say("done", "Your password is changed, and every other session is ended.");
});

session.current().catch((error) => say("message", sentence(error)));
