// The refresh token in an HttpOnly cookie, the access token in a variable.
let access;

const send = (method, path, body) =>
  fetch(path, {
    method,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${access}` },
    body: body && JSON.stringify(body),
  });

const renew = async () => {
  const response = await fetch("/refresh", { method: "POST" });
  if (response.ok) access = (await response.json()).access_token;
  return response.ok;
};

export const login = async (email, password) => {
  const response = await fetch("/login", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ email, password }),
  });
  access = (await response.json()).access_token;
};
export const logout = async () => {
  await fetch("/logout", { method: "POST" });
  access = undefined;
};
export const address = (path) => `${path}?access_token=${access}`;
export const api = async (method, path, body) => {
  const response = await send(method, path, body);
  return response.status === 401 && (await renew()) ? send(method, path, body) : response;
};
