// The demo as a model: the official client of OpenAI's API on `/v1`, unchanged.

import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Demo } from "./demo.ts";
import { Model } from "./model.ts";

let model: Model;
let demo: Demo;
let client: OpenAI;

beforeAll(async () => {
  model = await Model.start();
  demo = await Demo.start({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: "test", OPENAI_MODEL: "words" });
  client = new OpenAI({ baseURL: `${demo.url}/v1`, apiKey: "any", maxRetries: 0 });
});
afterAll(async () => {
  await demo?.remove();
  model?.close();
});

const ask = (content: string): { model: string; messages: { role: "user"; content: string }[] } => ({
  model: "words",
  messages: [{ role: "user", content }],
});
const WORDS = Array.from({ length: 20 }, (_, index) => `wörd-${index}`).join(" ");

describe("/v1", () => {
  test("lists its model", async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(["words"]);
  });

  test("answers whole, and piece by piece", async () => {
    const whole = await client.chat.completions.create(ask("quick"));
    expect(whole.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { role: "assistant", content: WORDS },
    });
    let text = "";
    let finish: string | null | undefined;
    for await (const { choices } of await client.chat.completions.create({ ...ask("quick"), stream: true })) {
      text += choices[0]?.delta.content ?? "";
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect([text, finish]).toEqual([WORDS, "stop"]);
  });

  test("an answer that is cut half-way never finishes", async () => {
    const read = async (): Promise<string | null | undefined> => {
      let finish: string | null | undefined;
      for await (const { choices } of await client.chat.completions.create({ ...ask("cut"), stream: true })) {
        finish = choices[0]?.finish_reason ?? finish;
      }
      return finish;
    };
    await expect(read()).rejects.toBeInstanceOf(APIError);
    await expect(client.chat.completions.create(ask("cut"))).rejects.toBeInstanceOf(APIError);
  });

  test("a reader that leaves stops the model", async () => {
    model.upTo = 20; // it is still speaking, however late the reader leaves
    const stream = await client.chat.completions.create({ ...ask("slow"), stream: true });
    for await (const { choices } of stream) if (choices[0]?.delta.content) break;
    await expect.poll(() => model.open).toBe(0);
    model.upTo = Infinity;
  });

  test("refuses what it cannot read, in OpenAI's shape", async () => {
    await expect(client.chat.completions.create({ ...ask("a"), model: "none" })).rejects.toMatchObject({ status: 404 });
    const response = await fetch(`${demo.url}/v1/chat/completions`, { method: "POST", body: "{" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.any(String), type: expect.any(String) } });
  });
});
