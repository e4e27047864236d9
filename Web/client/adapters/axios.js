// Cloakroom for axios: `useSession(axios.create(), session)`. Tested with axios 1.2.

const codeOf = (data) => {
  try {
    return (typeof data === "string" ? JSON.parse(data) : data)?.code;
  } catch {
    return undefined;
  }
};

/** Renews once for all waiting requests when an access token has expired, and sends the request again. */
export const useSession = (instance, session) => {
  instance.interceptors.response.use(undefined, async (error) => {
    const { config, response } = error;
    if (response?.status !== 401 || codeOf(response.data) !== "token_expired" || config.isAgain) throw error;
    try {
      await session.renew();
    } catch {
      throw error;
    }
    return instance.request({ ...config, isAgain: true });
  });
  return instance;
};
