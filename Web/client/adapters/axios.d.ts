import type { Session } from "../client.js";

/** What an axios instance is to this adapter. */
interface Instance {
  interceptors: { response: { use(fulfilled: undefined, rejected: (error: any) => Promise<any>): unknown } };
  request(config: any): Promise<any>;
}

/** Lets an axios instance renew the session once when an access token has expired, and ask again. Returns the instance. */
export function useSession<T extends Instance>(instance: T, session: Session): T;
