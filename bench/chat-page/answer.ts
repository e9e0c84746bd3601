// The answer and the history that both pages show: Markdown as models write it, the same on each run.

/** One round of what answers are made of, about 230 tokens long. */
function section(index: number): string {
  return [
    `## Part ${index}: what happens to a run\n\n`,
    `A run is **written to a log** before anybody reads it, so that a *cut* of the connection costs nothing. `,
    `See [the protocol](https://example.com/protocol#part-${index}) and \`Last-Event-ID\`, which names the last event that was seen. `,
    `Whoever comes back sends it, and gets what came after it.\n\n`,
    `- The reader reloads: the answer **goes on**\n- The server ends: the answer says \`interrupted\`\n`,
    `- The reader presses stop: the bill ends\n\n`,
    `\`\`\`ts\nimport { openStream } from "tailrace/client";\n\nconst stream = openStream("/api/run/${index}"); // joins\n`,
    `for await (const batch of stream.batches()) {\n  show(batch.map((item) => item.data));\n}\n\`\`\`\n\n`,
    `| what | after | limit |\n|---|---|---|\n| first byte | ${index} ms | 1,000 ms |\n| end | ${index * 7} ms | none |\n\n`,
  ].join("");
}

/** About four characters each, cut without regard to the marks. */
export function tokensOf(count: number): string[] {
  let text = "";
  for (let index = 1; text.length < count * 4; index++) text += section(index);
  return Array.from({ length: count }, (_, index) => text.slice(index * 4, index * 4 + 4));
}

/** A conversation of `count` messages, half of them answers. */
export function historyOf(count: number): { id: string; role: "user" | "assistant"; text: string }[] {
  return Array.from({ length: count }, (_, index) =>
    index % 2 === 0
      ? { id: `q${index}`, role: "user", text: `Question ${index}: how does it come back?` }
      : { id: `a${index}`, role: "assistant", text: section(index) },
  );
}
