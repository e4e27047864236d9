// Searches for tokens as an injected script would: in every place where pages store tokens, and in every response that it
// can get from the server. It only reads, and sends the results nowhere.

const found = (list) => (list.length ? list.join(", ") : "nothing");

const database = (name) =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const stores = [...opening.result.objectStoreNames];
      if (!stores.length) return resolve([]);
      const requests = stores.map((store) => opening.result.transaction(store).objectStore(store).getAll());
      requests.at(-1).onsuccess = () => resolve(requests.map(({ result }) => JSON.stringify(result)));
    };
  });

const cached = async (name) => {
  const cache = await caches.open(name);
  return Promise.all((await cache.keys()).map(async (request) => (await cache.match(request)).text()));
};

const answer = async (method, path, headers) => {
  const response = await fetch(path, { method, headers });
  return `${response.status} ${[...response.headers].flat().join(" ")} ${await response.text()}`;
};

const xhr = (path) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.onloadend = () => resolve(`${request.status} ${request.getAllResponseHeaders()} ${request.responseText}`);
    request.send();
  });

/** Places in the page and its storage. */
const PLACES = {
  "document.cookie": () => document.cookie || "nothing",
  cookieStore: async () => found((await cookieStore.getAll()).map(({ name, value }) => `${name}=${value}`)),
  localStorage: () => found(Object.entries(localStorage).flat()),
  sessionStorage: () => found(Object.entries(sessionStorage).flat()),
  indexedDB: async () => found((await Promise.all((await indexedDB.databases()).map(({ name }) => database(name)))).flat()),
  caches: async () => found((await Promise.all((await caches.keys()).map(cached))).flat()),
  "the page itself": () => document.documentElement.outerHTML,
  "addresses and history": () =>
    [location.href, document.referrer, window.name, JSON.stringify(history.state),
      ...performance.getEntries().map(({ name }) => name)].join(" "),
};

/** Requests whose responses may contain a token. */
const QUESTIONS = {
  "GET /auth/session": () => answer("GET", "/auth/session"),
  "the same by XMLHttpRequest": () => xhr("/auth/session"),
  "POST /auth/refresh": () => answer("POST", "/auth/refresh"),
  "GET /auth/sessions": () => answer("GET", "/auth/sessions"),
  "GET /auth/check, as a proxy": () => answer("GET", "/auth/check", { "X-Original-Method": "GET", "X-Original-URI": "/" }),
  TRACE: () => answer("TRACE", "/"),
};

/** A JWT, or the start of one. */
const TOKEN = /eyJ[\w-]{8,}/;

/** Returns one `{place, text, isToken}` per place. With `asks` it also sends the requests, which renews the session. */
export const look = (asks) =>
  Promise.all(
    Object.entries(asks ? { ...PLACES, ...QUESTIONS } : PLACES).map(async ([place, read]) => {
      try {
        const text = await read();
        const isToken = TOKEN.test(text);
        const isShort = text.length < 80;
        return { place, text: isToken ? text : isShort ? text : `${text.length} characters, no token in them`, isToken };
      } catch (error) {
        return { place, text: `refused: ${error.message}`, isToken: false };
      }
    }),
  );
