import { createSession } from "http://localhost:8080/auth/client.js";

const api = "http://localhost:8080";
export const session = createSession({ base: api });
export const sessions = () => session.fetch(`${api}/auth/sessions`, { headers: { traceparent: traceparent() } });

// An identifier of this request for tracing (W3C Trace Context): random bytes in hexadecimal.
const hex = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const traceparent = () => `00-${hex(16)}-${hex(8)}-01`;
