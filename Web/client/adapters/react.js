// Cloakroom for React 18 and later: `export const useSession = sessionHook(session)`, once, outside of components.
import { useSyncExternalStore } from "react";

/** Creates a hook that returns undefined until the server has responded, then the session's state. */
export const sessionHook = (session) => {
  let state;
  const changed = new Set();
  const become = (next) => {
    state = next;
    for (const tell of changed) tell();
  };
  session.onChange(become);
  session.current().catch(() => become({ authenticated: false }));
  const subscribe = (tell) => {
    changed.add(tell);
    return () => changed.delete(tell);
  };
  return () => useSyncExternalStore(subscribe, () => state, () => undefined);
};
