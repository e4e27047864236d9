// Cloakroom for axios: `useSession(axios.create(), session)`. Tested with axios 1.2.

const problemOf = (data) => {
  try {
    return (typeof data === "string" ? JSON.parse(data) : data) ?? {};
  } catch {
    return {};
  }
};

// If the request has a bearer token of the page, only a problem of Cloakroom is about the session.
const isExpired = ({ config, response }) => {
  if (response?.status !== 401 || config.isAgain) return false;
  const { code, type } = problemOf(response.data);
  return code === "token_expired" && (!config.headers.has("Authorization") || type === "urn:cloakroom:problem:token_expired");
};

/** Renews once for all waiting requests when an access token has expired, and sends the request again. */
export const useSession = (instance, session) => {
  instance.interceptors.response.use(undefined, async (error) => {
    if (!isExpired(error)) throw error;
    try {
      await session.renew();
    } catch {
      throw error;
    }
    return instance.request({ ...error.config, isAgain: true });
  });
  return instance;
};
