import { createSession } from "/auth/client.js";
import { at, on } from "./form.js";

const session = createSession();

on("signup", "submit", async () => {
  await session.signup({ email: at("email").value, password: at("password").value });
  location.replace(document.querySelector("main").dataset.returnTo);
});
at("email").focus();
