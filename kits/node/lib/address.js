// The addresses of what the issuer serves, and requests to them.
import http from "node:http";
import https from "node:https";
import { isIPv4 } from "node:net";
import { TIMEOUT } from "./limits.js";

export class UnusableAddress extends Error {}

const isLoopback = (host) =>
  host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));

/** `https://`, `http://` to the local host, or with `path` the Unix socket of a private listener (`unix:/path`). */
export const serviceAddress = (text, { path = "", allowsPlainHTTP = false } = {}) => {
  if (path && text.startsWith("unix:/")) {
    // The host is only a name here; the private listener answers to this one.
    return { text: text + path, transport: http, options: { socketPath: text.slice(5), path, headers: { Host: "localhost" } } };
  }
  let url;
  try {
    url = new URL(text + path);
  } catch {
    throw new UnusableAddress(`${text} is not an address`);
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw new UnusableAddress(`${text} is not an http or https address`);
  }
  if (url.protocol === "http:" && !allowsPlainHTTP && !isLoopback(url.hostname)) {
    throw new UnusableAddress(`${text}: http to another host lets others replace the keys; use https, or insecureAllowsPlainHTTP`);
  }
  // The brackets of an IPv6 address belong to the URL alone.
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const options = { hostname, port: url.port, path: url.pathname, headers: {} };
  return { text: url.href, transport: url.protocol === "https:" ? https : http, options };
};

/**
 * Sends a request, and resolves with its successful response. Redirects are not followed: the address in the configuration is the one
 * that was checked.
 * @param started called with the request, to end it
 */
export const get = (address, headers, started) =>
  new Promise((resolve, reject) => {
    const { transport, options } = address;
    const request = transport.get({ ...options, headers: { ...options.headers, ...headers }, agent: false });
    started(request);
    request.on("error", reject);
    request.on("close", () => reject(new Error("the connection was closed")));
    request.on("response", (response) => {
      if (response.statusCode === 200) return resolve(response);
      request.destroy();
      reject(new Error(`the status is ${response.statusCode}`));
    });
  });

/** Ends a request that takes longer than `TIMEOUT`. Returns a function that ends the limit. */
export const limit = (request) => {
  const timer = setTimeout(() => request.destroy(new Error("there was no complete response in time")), TIMEOUT * 1000);
  return () => clearTimeout(timer);
};
