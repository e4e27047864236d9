// What every form of the pages does alike: it waits, says what went wrong, and shows a password when asked.
import { CloakroomError } from "/auth/client.js";

export const at = (id) => document.getElementById(id);

export const element = (name, text, ...children) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};

const later = ({ retryAfter }) => (retryAfter ? `Please try again in ${retryAfter} seconds.` : "Please try again.");

/** A sentence for people about a call that failed. */
export const sentence = (error) => {
  if (!(error instanceof CloakroomError)) return "The server cannot be reached. Please try again.";
  if (error.code === "rate_limited") return `Too many tries. ${later(error)}`;
  if (error.status === 503) return `The server is busy. ${later(error)}`;
  const fields = Object.entries(error.problem.errors ?? {}).map(([name, reason]) => `${name.replaceAll("_", " ")} ${reason}`);
  if (fields.length) return `${fields.join("; ")}.`.replace(/^./, (first) => first.toUpperCase());
  return error.message;
};

/** Puts a sentence where screen readers hear it: into a region with a live role. */
export const say = (region, text = "") => {
  at(region).textContent = text;
};

/** Does what a busy server may put off: says for how long, waits, and tries once more. */
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

/** Lets a form or a button do something that takes time and may fail. */
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
