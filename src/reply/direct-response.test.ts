import { describe, expect, test, vi } from "vitest";
import { once, type BytePull } from "../bytes/byte-pull.ts";
import { makeByteReply } from "./byte-reply.ts";
import { DirectResponse, isDirect, markDirect } from "./direct-response.ts";
import { pullOf } from "./reply.ts";

const BYTES = new TextEncoder().encode('{"a":1}');

function made(signal?: AbortSignal): { response: Response; release: ReturnType<typeof vi.fn<() => void>> } {
  const request = new Request("http://test/", signal === undefined ? {} : { signal });
  markDirect(request);
  const release = vi.fn<() => void>();
  const open = (): BytePull => once(BYTES);
  const headers = new Headers({ "content-type": "application/json", "set-cookie": "a=b" });
  return { response: makeByteReply(request, { open, release }, { status: 206, headers }), release };
}

describe("DirectResponse", () => {
  test("is made for a host that says so, and for a request that was made anew no more", () => {
    const request = new Request("http://test/");
    expect(isDirect(request)).toBe(false);
    markDirect(request);
    expect(isDirect(request)).toBe(true);
    expect(isDirect(new Request(request))).toBe(false);
  });

  test("is a Response with its pull", () => {
    const { response } = made();
    expect(response).toBeInstanceOf(DirectResponse);
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.ok, response.bodyUsed]).toEqual([206, true, false]);
    expect(response.headers.getSetCookie()).toEqual(["a=b"]);
    expect(pullOf(response)?.next()).toEqual({ done: false, value: BYTES });
  });

  test.each<[string, (response: Response) => Promise<unknown>, unknown]>([
    ["text()", (response) => response.text(), '{"a":1}'],
    ["json()", (response) => response.json(), { a: 1 }],
    ["bytes()", (response) => response.bytes(), BYTES],
    ["arrayBuffer()", async (response) => new Uint8Array(await response.arrayBuffer()), BYTES],
    ["blob()", async (response) => (await response.blob()).text(), '{"a":1}'],
    ["body", (response) => new Response(response.body).text(), '{"a":1}'],
    ["clone()", async (response) => (await response.clone().text()) + (await response.text()), '{"a":1}{"a":1}'],
    ["new Response(body, response)", (response) => new Response(response.body, response).json(), { a: 1 }],
  ])("gives its bytes to %s, and then its pull to nobody", async (_name, read, wanted) => {
    const { response, release } = made();
    expect(await read(response)).toEqual(wanted);
    expect(pullOf(response)).toBeUndefined();
    expect(response.bodyUsed).toBe(true);
    expect(release).toHaveBeenCalledOnce();
  });

  test("refuses a form that it is not", async () => {
    await expect(made().response.formData()).rejects.toThrow(TypeError);
  });

  test("is ended by an abort of its request once its body was asked for", async () => {
    const controller = new AbortController();
    const { response, release } = made(controller.signal);
    const reader = response.body?.getReader();
    controller.abort();
    expect(release).toHaveBeenCalledOnce();
    await expect(reader?.read()).rejects.toMatchObject({ code: "aborted" });
  });

  test("of a request that was aborted before is released at once", () => {
    expect(made(AbortSignal.abort()).release).toHaveBeenCalledOnce();
  });
});
