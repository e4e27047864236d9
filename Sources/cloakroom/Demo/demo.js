import { createSession, CloakroomError } from "/auth/client.js";

const session = createSession();
const at = (id) => document.getElementById(id);
let lifetime = 1;
let renewals = 0;
let shown;

const element = (name, text, ...children) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};

const say = (text, isError = false) => {
  at("message").textContent = text;
  at("message").classList.toggle("error", isError);
};

const sentence = (error) => {
  if (!(error instanceof CloakroomError)) return "The server cannot be reached.";
  const fields = Object.entries(error.problem.errors ?? {}).map(([name, reason]) => `${name} ${reason}`);
  return fields.length ? `${fields.join("; ")}.` : error.message;
};

/** Lets an event do something that may fail, and says what came of it. */
const on = (id, event, act) =>
  at(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    try {
      const text = await act();
      if (text) say(text);
    } catch (error) {
      say(sentence(error), true);
      // Ended from elsewhere: show what is true now.
      if (/^session_|reused$/.test(error.code)) await session.current();
    }
  });

/** A call of the app's own API, through the session. */
const api = async (method, path, body) => {
  // The server would renew on the way by itself; asking for it lets the page show the new countdown.
  if (session.secondsLeft() === 0) await session.renew();
  const response = await session.fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new CloakroomError(response.status, answer);
  return answer;
};

const show = (state) => {
  at("welcome").hidden = state.authenticated;
  at("inside").hidden = !state.authenticated;
  if (!state.authenticated) {
    shown = undefined;
    at("notes").replaceChildren();
    at("sessions").replaceChildren();
    at("who").textContent = "";
    look();
    return;
  }
  if (shown === state.session.id && state.session.rotated) at("renewals").textContent = ++renewals;
  lifetime = Math.max(lifetime, state.session.expires_in);
  at("who").textContent = state.user.email;
  at("auth-time").textContent = new Date(state.session.auth_time).toLocaleTimeString();
  tick();
  if (shown === state.session.id) return;
  shown = state.session.id;
  listNotes();
  listSessions();
  look();
};

const tick = () => {
  if (!shown) return;
  const left = session.secondsLeft();
  at("countdown").textContent = left > 0 ? `${left} s left` : "expired; the next request renews it";
  at("life").value = left / lifetime;
};

const listNotes = async () => {
  const { notes } = await api("GET", "/api/notes");
  at("notes").replaceChildren(
    ...notes.map((note) => {
      const remove = element("button", "Delete");
      remove.className = "second";
      remove.setAttribute("aria-label", `Delete the note ${note.text}`);
      remove.addEventListener("click", async () => {
        await api("DELETE", `/api/notes/${note.id}`);
        await listNotes();
      });
      return element("li", "", element("span", note.text), remove);
    }),
  );
};

const listSessions = async () => {
  const { sessions } = await api("GET", "/auth/sessions");
  at("sessions").replaceChildren(
    ...sessions.map((entry) => {
      const name = element("span", entry.current ? "This browser" : entry.user_agent || "Unknown device");
      name.append(element("small", `${entry.ip}, since ${new Date(entry.created_at).toLocaleString()}`));
      if (entry.current) return element("li", "", name);
      const end = element("button", "End");
      end.className = "second";
      end.setAttribute("aria-label", `End the session of ${entry.user_agent}`);
      end.addEventListener("click", async () => {
        await api("DELETE", `/auth/sessions/${entry.id}`);
        await listSessions();
      });
      return element("li", "", name, end);
    }),
  );
};

/** Tries every place where pages keep tokens. */
const look = async () => {
  const names = async (read) => {
    try {
      const found = await read();
      return found.length ? found.join(", ") : "nothing";
    } catch {
      return "not available";
    }
  };
  const places = {
    "document.cookie": () => (document.cookie ? [document.cookie] : []),
    cookieStore: async () => (await cookieStore.getAll()).map((cookie) => cookie.name),
    localStorage: () => Object.keys(localStorage),
    sessionStorage: () => Object.keys(sessionStorage),
    indexedDB: async () => (await indexedDB.databases()).map((database) => database.name),
    caches: () => caches.keys(),
    "GET /auth/session": async () => {
      const text = await (await fetch("/auth/session?passive=1")).text();
      return /eyJ/.test(text) ? ["a token!"] : [`${text.length} characters, no token`];
    },
  };
  const rows = await Promise.all(
    Object.entries(places).map(async ([place, read]) => [element("dt", place), element("dd", await names(read))]),
  );
  at("see").replaceChildren(...rows.flat());
};

const credentials = () => ({ email: at("email").value, password: at("password").value });

on("login", "submit", async () => {
  await session.login({ ...credentials(), remember: at("remember").checked });
  at("login").reset();
  return "Welcome back.";
});
on("signup", "click", async () => {
  if (!at("login").reportValidity()) return;
  await session.signup(credentials());
  at("login").reset();
  return "Welcome.";
});
on("logout", "click", async () => {
  await session.logout();
  at("email").focus();
  return "You are logged out, here and in every tab.";
});
on("renew", "click", async () => {
  const state = await session.renew();
  return state.session.rotated ? "A new pair of tokens." : "A new access token; it is too soon for a new refresh token.";
});
on("add-note", "submit", async () => {
  await api("POST", "/api/notes", { text: at("note").value });
  at("note").value = "";
  await listNotes();
});
on("delete-all", "click", async () => {
  try {
    await api("DELETE", "/api/notes");
  } catch (error) {
    if (error.code !== "insufficient_user_authentication") throw error;
    at("step-up").hidden = false;
    at("again").focus();
    return "Please type your password again.";
  }
  await listNotes();
  return "All notes are deleted.";
});
on("step-up", "submit", async () => {
  await session.stepUp({ password: at("again").value });
  at("again").value = "";
  at("step-up").hidden = true;
  await api("DELETE", "/api/notes");
  await listNotes();
  return "All notes are deleted.";
});
on("end-others", "click", async () => {
  await api("POST", "/auth/sessions/revoke-others");
  await listSessions();
  return "All other sessions are ended.";
});
on("change", "submit", async () => {
  await api("POST", "/auth/password", { current_password: at("old").value, new_password: at("new").value });
  at("change").reset();
  await session.current();
  await listSessions();
  return "The password is changed, and every other session is ended.";
});
on("look", "click", look);

session.onChange(show);
setInterval(tick, 1000);
session.current().catch((error) => say(sentence(error), true));
