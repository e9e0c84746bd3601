import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { bodyOf } from "./sole-reader.ts";

/** A request as srvx makes it: its stream listens to the message once it is asked for. */
function hosted(message: EventEmitter & { httpVersionMajor?: number }, listens: boolean = true): Request {
  let body: ReadableStream | undefined;
  const request = {
    runtime: { node: { req: message } },
    get body() {
      if (body === undefined && listens) message.on("data", () => undefined);
      return (body ??= new ReadableStream());
    },
  };
  return request as unknown as Request;
}

const messageOf = (httpVersionMajor: number): EventEmitter & { httpVersionMajor: number } =>
  Object.assign(new EventEmitter(), { httpVersionMajor });

describe("bodyOf()", () => {
  test("has the chunks of a stream that was made for it alone, until somebody else listens", () => {
    const message = messageOf(1);
    const request = hosted(message);
    const { body, isSole } = bodyOf(request);
    expect(body).toBe(request.body);
    expect(isSole()).toBe(true);
    message.on("data", () => undefined);
    expect(isSole()).toBe(false);
  });

  test("has not those of a body that was asked for before, and that may have been cloned", () => {
    const request = hosted(messageOf(1));
    expect(request.body).not.toBeNull();
    expect(bodyOf(request).isSole()).toBe(false);
  });

  test("has not those of a message that somebody reads otherwise", () => {
    const message = messageOf(1);
    message.on("readable", () => undefined);
    expect(bodyOf(hosted(message)).isSole()).toBe(false);
  });

  test("has not those of a stream that does not listen to the message, nor those of HTTP/2", () => {
    expect(bodyOf(hosted(messageOf(1), false)).isSole()).toBe(false);
    expect(bodyOf(hosted(messageOf(2))).isSole()).toBe(false);
  });

  test("has not those of a Request that says nothing of a message", () => {
    const request = new Request("http://test/", { method: "POST", body: "x" });
    const { body, isSole } = bodyOf(request);
    expect(body).toBe(request.body);
    expect(isSole()).toBe(false);
  });
});
