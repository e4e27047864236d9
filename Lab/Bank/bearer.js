// The client of tutorials for tokens that script holds: it sends the access token in a header and renews it after a 401.

const post = (path, body) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** `store` keeps `{access_token, refresh_token}` where the storage choice keeps them. */
export const bearerClient = (store) => {
  const send = (method, path, body) =>
    fetch(path, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${store.read()?.access_token}` },
      body: body && JSON.stringify(body),
    });
  const renew = async () => {
    const response = await post("/refresh", { refresh_token: store.read()?.refresh_token });
    if (response.ok) store.write({ ...store.read(), ...(await response.json()) });
    return response.ok;
  };
  return {
    login: async (email, password) => store.write(await (await post("/login", { email, password })).json()),
    logout: async () => {
      await post("/logout", {});
      store.clear();
    },
    api: async (method, path, body) => {
      const response = await send(method, path, body);
      return response.status === 401 && (await renew()) ? send(method, path, body) : response;
    },
    address: (path) => `${path}?access_token=${store.read()?.access_token}`,
  };
};
