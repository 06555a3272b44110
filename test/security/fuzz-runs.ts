import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { call } from '../support/api.ts';
import { type Server, startServer } from '../support/server.ts';
import { type Api, Gun, Judge, type Operation, operationsOf, shotsAt, told } from './fuzzing.ts';

/** Send so many requests at each route that the server describes, and say what was wrong with the answers. */
export async function fuzz(t: TestContext, { seed, runs }: { seed: number; runs: number }): Promise<void> {
  t.diagnostic(`seed ${seed}, ${runs} requests a route`);
  const server = await startServer(t, { env: { TASKTRAIL_RATE_LIMIT: '0' } });
  const gun = new Gun(server.url);
  t.after(() => gun.close());
  const judge = new Judge();
  const operations = operationsOf(await call<Api>(server, '/openapi.json'));
  assert.ok(operations.length > 70, `${operations.length} routes`);
  const faults: string[] = [];
  const statuses = new Map<number, number>();
  for (const operation of operations) {
    const ids = await things(server);
    const fires = fc.asyncProperty(shotsAt(operation, ids), async (shot) => {
      const answer = await gun.fire(shot);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const fault = judge.fault(operation, answer, shot);
      if (fault !== null) throw new Error(`${told(shot)}\n      ${fault}`);
    });
    const { counterexample, errorInstance } = await fc.check(fires, { seed, numRuns: runs });
    if (counterexample) faults.push(`${nameOf(operation)}: ${(errorInstance as Error).message}`);
  }
  t.diagnostic(
    `answers: ${[...statuses]
      .sort()
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}`,
  );
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n${server.output().slice(-2_000)}`);
  // It has taken no harm.
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
  assert.equal(await server.stop(), 0);
  const kinds = new Set([...statuses.keys()].map((status) => Math.floor(status / 100)));
  assert.ok(kinds.has(2) && kinds.has(4), 'some requests were fine, and some were not');
}

let made = 0;

/** Things that requests can be about, made anew for each route: the one before may have deleted them. */
async function things(server: Server): Promise<Readonly<Record<string, readonly string[]>>> {
  made += 1;
  const [open, ended, waiting] = ['open', 'ended', 'waiting'].map((name) => `${name}-${made}`) as [
    string,
    string,
    string,
  ];
  await call(server, '/api/tasks', { task_id: open, title: 'open', input: 'do it' });
  await call(server, '/api/tasks', { task_id: ended });
  await call(server, '/api/tasks', { task_id: waiting, status: 'pending_approval' });
  const lines = Array.from({ length: 5 }, (_, n) => ({ message: `line ${n}`, type: n === 1 ? 'tool_call' : 'log' }));
  for (const id of [open, ended]) await call(server, `/api/tasks/${id}/logs`, lines);
  await call(server, `/api/tasks/${ended}/complete`, { result: { done: true } });
  const webhook = `hook-${made}`;
  await call(server, '/api/webhooks', {
    webhook_id: webhook,
    name: 'Hook',
    provider: 'builds',
    signature: { type: 'hmac-sha256', header: 'X-Signature', encoding: 'hex' },
    commands: [{ name: 'explain', trigger: 'failed', prompt: 'Why?' }],
  });
  const alert = `alert-${made}`;
  await call(server, '/api/alerts', { id: alert, name: 'Alert', query: 'level:error', to: [] });
  const token = await call<{ token_id: string }>(server, '/api/tokens', { name: `token-${made}`, role: 'reader' });
  const share = await call<{ share_id: string }>(server, '/api/shares', { task_id: open });
  return {
    task_id: [open, ended, waiting, 'nobody'],
    webhook_id: [webhook, 'github'],
    provider: ['builds', 'github', 'slack'],
    alert_id: [alert],
    token_id: [token.token_id],
    share_id: [share.share_id],
    n: ['1', '999999'],
  };
}

function nameOf({ method, path }: Operation): string {
  return `${method} ${path}`;
}
