// A route handler whose faults become problem details.

import { connection } from "next/server";
import { isTailraceError, problem } from "tailrace";

type Handler<C> = (request: Request, context: C) => Response | Promise<Response>;

/**
 * Wraps `handler`: it is never run by a build, only by a request; a TailraceError it throws is answered as it says, and
 * anything else is logged and answered with 500.
 */
export function route<C = unknown>(handler: Handler<C>): (request: Request, context: C) => Promise<Response> {
  return async (request, context) => {
    // With Cache Components Next runs GET handlers at build, and waits here for ever. Outside of `try`: what it throws is its own.
    await connection();
    try {
      return await handler(request, context);
    } catch (error) {
      if (!isTailraceError(error) || error.status >= 500) console.error(error);
      return problem(error);
    }
  };
}
