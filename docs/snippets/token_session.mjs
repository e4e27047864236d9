/**
 * A session without a cookie, for a client with the delivery `body`: Node, a worker, a command line, an app's web view.
 * @param cloakroom the origin of Cloakroom
 * @param api the origin that gets the access token
 * @param client_id the client's id in the setting `clients`
 * @param store `load()` and `save(token)` of the refresh token, where no other program can read it
 */
export const createTokenSession = ({ cloakroom, api = cloakroom, client_id, store }) => {
  let accessToken;
  let expiresAt = 0;
  let renewal;

  const post = async (path, fields) => {
    const response = await fetch(`${cloakroom}/auth/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });
    if (response.status === 204) return;
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.title), answer);
    // Saved before the access token is used: the old refresh token ends with its first use.
    if (answer.refresh_token) await store.save(answer.refresh_token);
    accessToken = answer.access_token;
    expiresAt = performance.now() + answer.session.expires_in * 1000;
    return answer.user;
  };

  const renewAlone = async () => {
    try {
      await post("refresh", { refresh_token: await store.load() });
    } finally {
      renewal = undefined;
    }
  };
  const renew = () => (renewal ??= renewAlone());

  return {
    login: ({ email, password }) => post("login", { email, password, client_id }),
    logout: async () => {
      await post("logout", { refresh_token: await store.load() });
      await store.save("");
      accessToken = undefined;
    },
    /** `fetch` with the access token; renews first when it has expired, once for all waiting calls. */
    fetch: async (path, init = {}) => {
      const url = new URL(path, api);
      if (url.origin !== new URL(api).origin) throw new Error(`the access token is not for ${url.origin}`);
      if (!accessToken || performance.now() > expiresAt - 1000) await renew();
      const headers = new Headers(init.headers);
      headers.set("Authorization", `Bearer ${accessToken}`);
      return fetch(url, { ...init, headers });
    },
  };
};
