import { createSession } from "/auth/client.js";

const session = createSession();

export const ready = () => session.current();
export const login = (email, password) => session.login({ email, password });
export const logout = () => session.logout();
export const stepUp = (password) => session.stepUp({ password });
export const api = (method, path, body) =>
  session.fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
