import { sse } from "tailrace";
import { streams } from "../../../../lib/streams.ts";

interface Context {
  readonly params: Promise<{ readonly id: string }>;
}

async function* work(): AsyncGenerator<{ done: number }> {
  for (let done = 0; done <= 100; done += 10) {
    yield { done };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

export async function POST(_request: Request, { params }: Context): Promise<Response> {
  const run = await streams.run(`jobs/${(await params).id}`, work);
  return Response.json({ started: run.started }, { status: 202 });
}

export async function GET(request: Request, { params }: Context): Promise<Response> {
  return sse(request, streams.follow(`jobs/${(await params).id}`));
}

export async function DELETE(_request: Request, { params }: Context): Promise<Response> {
  return Response.json(await streams.stop(`jobs/${(await params).id}`));
}
