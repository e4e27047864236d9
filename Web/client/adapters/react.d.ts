import type { Session, SessionState } from "../client.js";

/** Creates the hook of a session. Call it once, outside of components. The hook returns undefined until the server has responded. */
export function sessionHook(session: Session): () => SessionState | undefined;
