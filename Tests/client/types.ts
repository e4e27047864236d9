// Checked against the declarations by `tsc --strict`: documented uses compile, wrong uses do not.
import { type Session, type SessionState, CloakroomError, createSession } from "../../Web/client/client.js";
import { sessionInterceptor } from "../../Web/client/adapters/angular.js";
import { useSession } from "../../Web/client/adapters/axios.js";
import { sessionHook } from "../../Web/client/adapters/react.js";

const session: Session = createSession({ base: "https://auth.example.com", origin: "http://127.0.0.1:3000" });

export const used = async (): Promise<number> => {
  const state: SessionState = await session.login({ email: "a@example.com", password: "p", remember: true });
  // @ts-expect-error `user` is undefined when no user is logged in.
  const unchecked: string = state.user.email;
  const stop: () => void = session.onChange(({ authenticated, user }) => authenticated && user?.email);
  const answer: Response = await session.fetch(new URL("https://auth.example.com/api"), { method: "POST" });
  // @ts-expect-error A step-up needs a password.
  await session.stepUp({});
  await session.logout();
  stop();
  const seen: SessionState | undefined = sessionHook(session)();
  sessionInterceptor(session)({}, (request) => request);
  return session.secondsLeft() + answer.status + unchecked.length + (seen?.session?.expires_in ?? 0);
};

export const isRefused = (error: unknown): boolean => error instanceof CloakroomError && error.code === "rate_limited";

export const waits = (state: SessionState, error: CloakroomError): number => (state.session?.renew_in ?? 0) + (error.retryAfter ?? 0);

// @ts-expect-error Only an axios instance can use a session.
useSession({}, session);
