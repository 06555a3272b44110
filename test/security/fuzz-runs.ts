import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { call } from '../support/api.ts';
import { type Server, startServer } from '../support/server.ts';
import { type Api, Gun, Judge, type Operation, operationsOf, shotsAt, told } from './fuzzing.ts';

/** Routes that are tried at the same time: what waits for the disk waits together. */
const AT_ONCE = 6;

/** Send so many requests at each route that the server describes, and say what was wrong with the answers. */
export async function fuzz(t: TestContext, { seed, runs }: { seed: number; runs: number }): Promise<void> {
  t.diagnostic(`seed ${seed}, ${runs} requests a route`);
  const server = await startServer(t, { env: { TASKTRAIL_RATE_LIMIT: '0' } });
  const gun = new Gun(server.url);
  t.after(() => gun.close());
  const judge = new Judge();
  const left = [...operationsOf(await call<Api>(server, '/openapi.json')).entries()];
  assert.ok(left.length > 70, `${left.length} routes`);
  const faults: string[] = [];
  const statuses = new Map<number, number>();
  const tryOut = async (operation: Operation, number: number): Promise<void> => {
    const ids = await things(server, number);
    const fires = fc.asyncProperty(shotsAt(operation, ids), async (shot) => {
      const answer = await gun.fire(shot);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const fault = judge.fault(operation, answer, shot);
      if (fault !== null) throw new Error(`${told(shot)}\n      ${fault}`);
    });
    const { counterexample, errorInstance } = await fc.check(fires, { seed, numRuns: runs });
    const { method, path } = operation;
    if (counterexample) faults.push(`${method} ${path}: ${(errorInstance as Error).message}`);
  };
  const turns = Array.from({ length: AT_ONCE }, async () => {
    for (let next = left.shift(); next; next = left.shift()) await tryOut(next[1], next[0]);
  });
  await Promise.all(turns);
  const counted = [...statuses].sort().map(([status, count]) => `${count} × ${status}`);
  t.diagnostic(`answers: ${counted.join(', ')}`);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n${server.output().slice(-2_000)}`);
  // It has taken no harm.
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
  assert.equal(await server.stop(), 0);
  for (const kind of [200, 201, 204, 400, 404, 409, 415]) assert.ok(statuses.has(kind), `some were answered ${kind}`);
}

/** Things that requests can be about, made anew for each route: another one may have deleted them. */
async function things(server: Server, made: number): Promise<Readonly<Record<string, readonly string[]>>> {
  const [open, ended, waiting] = [`open-${made}`, `ended-${made}`, `waiting-${made}`];
  const [webhook, alert] = [`hook-${made}`, `alert-${made}`];
  const lines = Array.from({ length: 5 }, (_, n) => ({ message: `line ${n}`, type: n === 1 ? 'tool_call' : 'log' }));
  // Requests before may have made as many as there may be; then there is none for this route.
  const none = { token_id: 'none', share_id: 'none' };
  await Promise.all([
    call(server, '/api/tasks', { task_id: open, title: 'open', input: 'do it' }),
    call(server, '/api/tasks', { task_id: ended }),
    call(server, '/api/tasks', { task_id: waiting, status: 'pending_approval' }),
    call(server, '/api/webhooks', {
      webhook_id: webhook,
      name: 'Hook',
      provider: 'builds',
      signature: { type: 'hmac-sha256', header: 'X-Signature', encoding: 'hex' },
      commands: [{ name: 'explain', trigger: 'failed', prompt: 'Why?' }],
    }).catch(() => none),
    call(server, '/api/alerts', { id: alert, name: 'Alert', query: 'level:error', to: [] }).catch(() => none),
  ]);
  const [token, share] = await Promise.all([
    call<{ token_id: string }>(server, '/api/tokens', { name: `token-${made}`, role: 'reader' }).catch(() => none),
    call<{ share_id: string }>(server, '/api/shares', { task_id: open }).catch(() => none),
    call(server, `/api/tasks/${open}/logs`, lines),
    call(server, `/api/tasks/${ended}/logs`, lines),
  ]);
  await call(server, `/api/tasks/${ended}/complete`, { result: { done: true } });
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
