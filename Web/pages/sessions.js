// The list of the account's sessions, each with its device and a button that ends it.
import { CloakroomError } from "/auth/client.js";
import { at, element } from "./form.js";

const BROWSERS = [
  [/\bEdgA?\//, "Edge"], [/\bOPR\//, "Opera"], [/\bSamsungBrowser\//, "Samsung Internet"], [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\bChromium\//, "Chromium"], [/(Chrome|CriOS)\//, "Chrome"], [/\bSafari\//, "Safari"], [/^curl\//, "curl"],
];
const SYSTEMS = [
  [/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"], [/\bAndroid\b/, "Android"], [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"], [/\bMac OS X\b/, "macOS"], [/\bLinux\b/, "Linux"],
];

/** A readable name of the device, such as "Firefox on Linux". */
export const deviceName = (userAgent = "") => {
  const find = (names) => names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? (userAgent.slice(0, 60) || "Unknown device");
};

/** Calls a JSON API through the session. Throws `CloakroomError` for an error response. */
export const api = async (session, method, path, body) => {
  const response = await session.fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new CloakroomError(response.status, answer, response.headers.get("Retry-After"));
  return answer;
};

const moment = (text) => {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const node = element("time", format.format(new Date(text)));
  node.dateTime = text;
  return node;
};

const row = (entry, end) => {
  const name = element("span", "", element("strong", deviceName(entry.user_agent)));
  const details = element("small", `${entry.ip}, since `, moment(entry.created_at), ", last seen ", moment(entry.last_seen_at));
  if (entry.hosts.length) details.append(`, also at ${entry.hosts.join(", ")}`);
  name.append(details);
  if (entry.current) return element("li", "", name, element("em", "this device"));
  const button = element("button", "End");
  button.type = "button";
  button.className = "second";
  button.ariaLabel = `End the session of ${deviceName(entry.user_agent)}`;
  button.addEventListener("click", () => end(entry));
  return element("li", "", name, button);
};

const allSessions = async (session) => {
  const all = [];
  let next;
  do {
    const query = new URLSearchParams({ limit: 100, ...(next && { after: next }) });
    const page = await api(session, "GET", `/auth/sessions?${query}`);
    all.push(...page.sessions);
    next = page.next;
  } while (next);
  return all;
};

// A browser is one entry: the session of its login, with the hosts that it was handed over to, and when any was last seen.
const byBrowser = (sessions) => {
  const entries = new Map();
  for (const entry of [...sessions].sort((one, other) => Boolean(one.parent) - Boolean(other.parent))) {
    const known = entries.get(entry.parent ?? entry.id);
    if (!known) {
      entries.set(entry.parent ?? entry.id, { ...entry, hosts: entry.host ? [entry.host] : [] });
      continue;
    }
    known.hosts = [...new Set([...known.hosts, entry.host])].sort();
    if (entry.last_seen_at > known.last_seen_at) known.last_seen_at = entry.last_seen_at;
  }
  return [...entries.values()];
};

/** Fills the list `#sessions`, and shows `#end-others` if there are others. Calls `failed` if a session could not be ended. */
export const listSessions = async (session, failed) => {
  const sessions = byBrowser(await allSessions(session));
  const end = async ({ id }) => {
    try {
      await api(session, "DELETE", `/auth/sessions/${id}`);
      await listSessions(session, failed);
      at("sessions").closest("section").querySelector("button:not([hidden])")?.focus();
    } catch (error) {
      failed(error);
    }
  };
  at("sessions").replaceChildren(...sessions.map((entry) => row(entry, end)));
  at("end-others").hidden = sessions.length < 2;
};
