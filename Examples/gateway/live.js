// Live connections behind Cloakroom's gateway, which closes them when the session ends.
import { createSession } from "/auth/client.js";

const session = createSession();
const RETRY = 1000; // milliseconds

/** Returns whether the user is logged in. While the server does not respond, it assumes that nothing has changed. */
const isLoggedIn = () => session.current({ passive: true }).then((state) => state.authenticated, () => true);

/** Opens a WebSocket, and opens it again when the connection is lost. Calls `onEnd` once, when the session has ended. */
export function openSocket(path, onMessage, onEnd) {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}${path}`);
  socket.onmessage = ({ data }) => onMessage(data);
  socket.onclose = async ({ code, reason }) => {
    // 1008: the session has ended, and `reason` is the code. Browsers report a refused handshake like a lost connection
    // (1006), without a status, so ask whether there is a session.
    if (code === 1008) return onEnd(reason);
    if (!(await isLoggedIn())) return onEnd("session_missing");
    setTimeout(() => openSocket(path, onMessage, onEnd), RETRY);
  };
}

/** The same with an event stream. The browser itself connects again when the stream ends. */
export function listen(path, onMessage, onEnd) {
  const source = new EventSource(path);
  source.onmessage = ({ data }) => onMessage(data);
  source.onerror = async () => {
    // CLOSED: the new connection was refused, and the browser does not try again.
    if (source.readyState !== EventSource.CLOSED) return;
    if (!(await isLoggedIn())) return onEnd("session_missing");
    setTimeout(() => listen(path, onMessage, onEnd), RETRY);
  };
}
