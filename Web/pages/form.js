// The common behaviour of all forms: busy state, error messages, the button that shows a password.
import { CloakroomError } from "/auth/client.js";

export const at = (id) => document.getElementById(id);

export const element = (name, text, ...children) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};

const later = ({ retryAfter }) => (retryAfter ? `Please try again in ${retryAfter} seconds.` : "Please try again.");

/** The message for the user about a failed call. */
export const sentence = (error) => {
  if (!(error instanceof CloakroomError)) return "The server cannot be reached. Please try again.";
  if (error.code === "rate_limited") return `Too many tries. ${later(error)}`;
  if (error.status === 503) return `The server is busy. ${later(error)}`;
  const fields = Object.entries(error.problem.errors ?? {}).map(([name, reason]) => `${name.replaceAll("_", " ")} ${reason}`);
  if (fields.length) return `${fields.join("; ")}.`.replace(/^./, (first) => first.toUpperCase());
  return error.message;
};

/** Shows a text in a live region, so that screen readers read it. */
export const say = (region, text = "") => {
  at(region).textContent = text;
};

/** Calls `act`. If the server is busy or postpones it, shows the seconds, waits, and tries once more. */
export const patiently = async (act) => {
  try {
    return await act();
  } catch (error) {
    if (error.status !== 503 || !(error.retryAfter <= 60)) throw error;
    say("done", `Please wait ${error.retryAfter} seconds. Then this is sent again by itself.`);
    await new Promise((go) => setTimeout(go, error.retryAfter * 1000));
    say("done");
    return act();
  }
};

/** Runs an asynchronous action on an event, once at a time, and shows its error. */
export const on = (id, event, act) =>
  at(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    const target = at(id);
    if (target.ariaBusy === "true") return;
    target.ariaBusy = "true";
    say("message");
    try {
      await act(target);
    } catch (error) {
      say("message", sentence(error));
      target.querySelector?.("input[type=password]")?.select();
    } finally {
      target.ariaBusy = "false";
    }
  });

for (const button of document.querySelectorAll("[data-shows]")) {
  const label = button.ariaLabel;
  button.addEventListener("click", () => {
    const field = at(button.dataset.shows);
    const isShown = field.type === "password";
    field.type = isShown ? "text" : "password";
    button.ariaPressed = String(isShown);
    button.textContent = isShown ? "Hide" : "Show";
    button.ariaLabel = isShown ? label.replace("Show", "Hide") : label;
  });
}
