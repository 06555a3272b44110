import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { JsonObject } from '../../../src/core/entry.ts';

export interface Heard {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject;
  readonly atMs: number;
}

export type Answering = (response: ServerResponse, heard: Heard) => void;

/** A server that keeps what it is sent, and answers as it is told: GitHub, Jira or Slack, as far as we can tell. */
export async function provider(t: TestContext, answering: Answering = answer(200, '{"ok":true}')) {
  const heard: Heard[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const provider = {
    url: '',
    heard,
    answering,
    /** Resolves when it was asked so often. */
    async asked(count: number): Promise<readonly Heard[]> {
      if (heard.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }));
      return heard;
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const one = { path: request.url ?? '', headers: request.headers, body, atMs: performance.now() };
    heard.push(one);
    provider.answering(response, one);
    for (const { count, resolve } of waiting) if (heard.length >= count) resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return provider;
}

export function answer(status: number, body = '', headers: Record<string, string> = {}): Answering {
  return (response) => response.writeHead(status, headers).end(body);
}

/** One answer after the other; the last one stays. */
export function inTurn(...answers: readonly [Answering, ...Answering[]]): Answering {
  let next = 0;
  return (response, heard) => (answers[Math.min(next++, answers.length - 1)] ?? answers[0])(response, heard);
}
