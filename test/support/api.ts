import assert from 'node:assert/strict';
import type { Server } from './server.ts';

/** Send JSON to a server that a test started, and read the JSON answer of a request that must succeed. */
export async function call<Answer>(server: Pick<Server, 'url'>, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(
    `${server.url}${path}`,
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  );
  const text = await response.text();
  assert.ok(response.ok, `${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Answer;
}
