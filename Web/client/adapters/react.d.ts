import type { Session, SessionState } from "../client.js";

/** Makes the hook of a session, once, outside of components. The hook gives undefined until the server has answered. */
export function sessionHook(session: Session): () => SessionState | undefined;
