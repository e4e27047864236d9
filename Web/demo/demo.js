import { createSession } from "/auth/client.js";
import { at, element, on, say, sentence } from "/auth/pages/form.js";
import { api, listSessions } from "/auth/pages/sessions.js";
import { look } from "./look.js";

const session = createSession();
let lifetime = 1;
let renewals = 0;
let expiry = 0;
let renewable = 0;
let shown;

const failed = (error) => say("message", sentence(error));
const now = () => performance.now() / 1000;

/** Seconds until a renewal can return newer tokens (`renew_in`). */
const wait = () => Math.max(0, Math.ceil(renewable - now()));

const show = (state) => {
  at("welcome").hidden = state.authenticated;
  at("inside").hidden = !state.authenticated;
  if (!state.authenticated) {
    const wasInside = shown;
    [shown, renewals, renewable] = [undefined, 0, 0];
    for (const id of ["notes", "sessions", "who", "auth-time"]) at(id).replaceChildren();
    say("done", wasInside ? "You are logged out." : "");
    return see();
  }
  const { id, expires_in, renew_in } = state.session;
  const isNew = shown !== id;
  if (!isNew && expires_in && now() + expires_in > expiry + 1) renewals++;
  expiry = now() + expires_in;
  if (isNew || renew_in !== undefined) renewable = now() + (renew_in ?? 0);
  lifetime = Math.max(lifetime, expires_in);
  at("renewals").textContent = renewals;
  at("who").textContent = state.user.email;
  at("auth-time").textContent = new Date(state.session.auth_time).toLocaleTimeString();
  shown = id;
  tick();
  if (!isNew) return;
  for (const input of document.querySelectorAll("[name=username]")) input.value = state.user.email;
  say("done");
  listNotes().catch(failed);
  listSessions(session, failed).catch(failed);
  see();
};

const tick = () => {
  if (!shown) return;
  const left = session.secondsLeft();
  at("countdown").textContent = left ? `${left} s left` : wait() ? `expired, renewed in ${wait()} s` : "being renewed";
  at("life").value = left / lifetime;
  at("renew").textContent = wait() ? `Renew now (in ${wait()} s)` : "Renew now";
  // The next request would renew anyway. Renewing now shows it to the reader.
  if (left || wait() || document.hidden) return;
  session.renew().catch(() => (renewable = now() + 5));
};

const listNotes = async () => {
  const { notes } = await api(session, "GET", "/api/notes");
  at("notes").replaceChildren(...notes.map(noteRow));
};

const noteRow = (note) => {
  const remove = element("button", "Delete");
  remove.type = "button";
  remove.className = "second";
  remove.ariaLabel = `Delete the note ${note.text}`;
  remove.addEventListener("click", () =>
    api(session, "DELETE", `/api/notes/${note.id}`)
      .then(listNotes)
      .then(() => at("note").focus())
      .catch(failed),
  );
  return element("li", "", element("span", note.text), remove);
};

const see = async (asks) => {
  const ways = await look(asks);
  const leaks = ways.filter(({ isToken }) => isToken).length;
  at("verdict").textContent = leaks ? `${leaks} of ${ways.length} ways led to a token!` : `${ways.length} ways tried, no token found.`;
  at("verdict").classList.toggle("leak", leaks > 0);
  at("see").replaceChildren(...ways.flatMap(({ place, text }) => [element("dt", place), element("dd", text)]));
};

const credentials = () => ({ email: at("email").value, password: at("password").value });

const deleteAll = async () => {
  await api(session, "DELETE", "/api/notes");
  await listNotes();
  say("done", "All notes are deleted.");
};

on("login", "submit", async (form) => {
  await session.login({ ...credentials(), remember: at("remember").checked });
  form.reset();
});
on("signup", "click", async () => {
  if (!at("login").reportValidity()) return;
  await session.signup(credentials());
  at("login").reset();
});
on("logout", "click", async () => {
  await session.logout();
  say("done", "You are logged out, here and in every tab.");
  at("email").focus();
});
on("renew", "click", async () => {
  const state = wait() ? undefined : await session.renew();
  tick();
  const later = `You have the newest pair of tokens. The next one can come in ${wait()} s.`;
  say("done", state?.session.rotated ? "A new pair of tokens." : later);
});
on("add-note", "submit", async (form) => {
  await api(session, "POST", "/api/notes", { text: at("note").value });
  form.reset();
  await listNotes();
});
on("delete-all", "click", async () => {
  try {
    await deleteAll();
  } catch (error) {
    if (error.code !== "insufficient_user_authentication") throw error;
    at("step-up").hidden = false;
    at("again").focus();
  }
});
on("step-up", "submit", async (form) => {
  // Right after a renewal the server postpones it, and the client waits.
  const slow = setTimeout(() => say("done", "Please wait: right after a renewal this takes up to half a minute."), 2000);
  await session.stepUp({ password: at("again").value }).finally(() => clearTimeout(slow));
  say("done");
  form.reset();
  form.hidden = true;
  await deleteAll();
});
on("end-others", "click", async () => {
  await api(session, "POST", "/auth/sessions/revoke-others");
  await listSessions(session, failed);
  say("done", "All other sessions are ended.");
});
on("look", "click", () => see(true));

session.onChange(show);
setInterval(tick, 1000);
session.current().catch(failed);
