import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test, { type TestContext } from 'node:test';
import type { EntryInput } from '../../src/core/entry.ts';
import type { WireFound } from '../../src/core/found.ts';
import { SEARCH_WAIT_MS, SEARCHES } from '../../src/core/limits.ts';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';
import { served } from '../support/served.ts';

const at = (second: number): string => `2026-01-24T10:00:${String(second).padStart(2, '0')}.000Z`;

/** A server over a real database: three tasks whose lines alternate in time. */
async function seeded(t: TestContext, options: Parameters<typeof served>[1] = {}) {
  const trail = await openTrail({ dataDir: await scratch(t), taskLevel: 'DEBUG' });
  t.after(() => trail.close());
  const { store, intake, live } = trail.parts;
  const server = await served(t, { store, intake, live, ...options });
  for (const [place, taskId] of ['a', 'b', 'c'].entries()) {
    await trail.create({ taskId, title: `Task ${taskId}`, kind: 'build', assignedAgent: 'default' });
    const lines: EntryInput[] = Array.from({ length: 10 }, (_, n) => ({
      message: `Line ${n + 1} of ${taskId}${n % 3 === 0 ? ' TIMEOUT' : ''}`,
      timestamp: at(n * 3 + place),
      level: n % 2 ? 'ERROR' : 'INFO',
      source: n % 2 ? 'git' : 'npm',
    }));
    await trail.append(taskId, lines);
  }
  const ids = async (query: string): Promise<readonly string[]> => {
    const { status, body } = await server.json('GET', `/api/logs/search?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.logs.map(({ id }: { id: string }) => id);
  };
  return { ...server, trail, ids };
}

const EVERY_TIMEOUT = ['c:10', 'b:10', 'a:10', 'c:7', 'b:7', 'a:7', 'c:4', 'b:4', 'a:4', 'c:1', 'b:1', 'a:1'];

test('lines of all tasks are found, newest first, with the marks of what was asked for', async (t) => {
  const { json, ids } = await seeded(t);
  assert.deepEqual(await ids('q=timeout'), EVERY_TIMEOUT);
  const { body } = await json('GET', '/api/logs/search?q=timeout&limit=1');
  const { took_ms, next_cursor, ...rest } = body;
  assert.ok(Number.isInteger(took_ms) && typeof next_cursor === 'string');
  assert.deepEqual(rest, {
    logs: [
      {
        id: 'c:10',
        seq: 10,
        task_id: 'c',
        timestamp: at(29),
        level: 'ERROR',
        source: 'git',
        stream: null,
        type: 'log',
        message: 'Line 10 of c TIMEOUT',
        metadata: null,
        highlights: [[13, 20]],
      },
    ],
    scanned_from: at(29),
    complete: true,
  });
});

test('flat filters narrow a search as they narrow the lines of one task', async (t) => {
  const { ids } = await seeded(t);
  assert.deepEqual(await ids('q=timeout&level=error'), ['c:10', 'b:10', 'a:10', 'c:4', 'b:4', 'a:4']);
  assert.deepEqual(await ids('q=timeout&source=npm&task=a'), ['a:7', 'a:1']);
  assert.deepEqual(await ids('q=timeout&task=a,c&from=2026-01-24T10:00:20Z'), ['c:10', 'a:10', 'c:7']);
  assert.deepEqual(await ids('search=7%20of%20%5Bab%5D&regex=true'), ['b:7', 'a:7']);
  assert.deepEqual(await ids('min_level=error&limit=2'), ['c:10', 'b:10']);
  assert.deepEqual(await ids('q=timeout&task=nobody'), []);
  assert.deepEqual(await ids('limit=2'), ['c:10', 'b:10']);
});

test('lines are found by the status, cost and agent of their tasks, and by date', async (t) => {
  const { ids, trail } = await seeded(t);
  await trail.fail('b', 'it broke', { metrics: { costUsd: 2 } });
  assert.deepEqual(await ids('q=timeout%20status:failed'), ['b:10', 'b:7', 'b:4', 'b:1']);
  assert.deepEqual(await ids('q=timeout%20cost%3E1%20after:2026-01-24T10:00:15Z'), ['b:10', 'b:7']);
  assert.deepEqual(await ids('q=timeout%20-status:failed%20before:2026-01-24T10:00:09Z'), ['c:1', 'a:1']);
  assert.deepEqual(await ids('q=timeout%20agent:nobody'), []);
});

test('pages fit together while lines come in, and the last one says so', async (t) => {
  const { json, trail } = await seeded(t);
  const found: string[] = [];
  let cursor = '';
  for (let pages = 1; ; pages++) {
    const { body } = await json('GET', `/api/logs/search?q=timeout&limit=5&cursor=${cursor}`);
    found.push(...body.logs.map(({ id }: { id: string }) => id));
    await trail.append('a', [{ message: 'a newer timeout', timestamp: at(40 + pages) }]);
    if (body.next_cursor === null) {
      assert.deepEqual([pages, body.scanned_from], [3, null]);
      break;
    }
    cursor = body.next_cursor;
  }
  assert.deepEqual(found, EVERY_TIMEOUT);
});

test('a cursor does not go with another search', async (t) => {
  const { json } = await seeded(t);
  const { body } = await json('GET', '/api/logs/search?q=timeout&limit=5');
  const other = await json('GET', `/api/logs/search?q=line&cursor=${body.next_cursor}`);
  assert.deepEqual([other.status, other.body.code], [400, 'invalid_cursor']);
  const more = await json('GET', `/api/logs/search?q=timeout&limit=7&context=1&cursor=${body.next_cursor}`);
  assert.equal(more.body.logs.length, 7);
});

test('context is the lines around in the same task, as far as there are some', async (t) => {
  const { json } = await seeded(t);
  const { body } = await json('GET', '/api/logs/search?q=timeout&task=b&context=2');
  const around = (body.logs as WireFound[]).map(({ seq, context }) => [
    seq,
    context?.before.map((line) => line.seq),
    context?.after.map((line) => line.seq),
  ]);
  assert.deepEqual(around, [
    [10, [8, 9], []],
    [7, [5, 6], [8, 9]],
    [4, [2, 3], [5, 6]],
    [1, [], [2, 3]],
  ]);
  assert.equal(body.logs[1].context.before[0].message, 'Line 5 of b');
});

test('found lines come in groups by task on wish', async (t) => {
  const { json } = await seeded(t);
  const { body } = await json('GET', '/api/logs/search?q=timeout&limit=5&group=task');
  assert.equal('logs' in body, false);
  assert.deepEqual(
    body.groups.map(({ task, logs }: { task: { task_id: string }; logs: { seq: number }[] }) => [
      task.task_id,
      logs.map(({ seq }) => seq),
    ]),
    [
      ['c', [10, 7]],
      ['b', [10, 7]],
      ['a', [10]],
    ],
  );
  const { created_at, ...task } = body.groups[0].task;
  assert.match(created_at, /^20\d\d-/);
  assert.deepEqual(task, {
    task_id: 'c',
    title: 'Task c',
    status: 'executing',
    kind: 'build',
    assigned_agent: 'default',
  });
});

test('facets and histogram count what a search finds, across tasks and in one', async (t) => {
  const { json } = await seeded(t);
  const facets = {
    total: 12,
    total_exact: true,
    level: { DEBUG: 0, INFO: 6, WARNING: 0, ERROR: 6 },
    source: { git: 6, npm: 6 },
    stream: { none: 12 },
    type: { log: 12 },
    tasks: ['a', 'b', 'c'].map((id) => ({ task_id: id, title: `Task ${id}`, lines: 4 })),
  };
  const together = await json('GET', '/api/logs/search?q=timeout&limit=1&facets=true');
  assert.deepEqual(together.body.facets, facets);
  assert.deepEqual((await json('GET', '/api/logs/search/facets?q=timeout')).body, facets);
  const one = await json('GET', '/api/tasks/b/logs/facets?level=error');
  assert.equal(one.body.total, 5);
  assert.deepEqual(one.body.tasks, [{ task_id: 'b', title: 'Task b', lines: 5 }]);
  assert.equal((await json('GET', '/api/tasks/nobody/logs/facets')).status, 404);
  const { body } = await json('GET', '/api/logs/search/histogram?q=timeout&buckets=4');
  assert.deepEqual([body.from, body.to, body.exact], [at(0), at(29), true]);
  assert.equal(
    body.buckets.reduce((sum: number, bucket: { total: number }) => sum + bucket.total, 0),
    12,
  );
});

test('NDJSON streams every found line, page after page, and ends with a record of how it ended', async (t) => {
  const { call, trail } = await seeded(t);
  await trail.append(
    'a',
    Array.from({ length: 250 }, (_, n) => ({ message: `many ${n}`, timestamp: at(31) })),
  );
  const records = async (query: string) => {
    const response = await call('GET', `/api/logs/search?${query}`, undefined, { accept: 'application/x-ndjson' });
    assert.match(response.headers.get('content-type') ?? '', /^application\/x-ndjson/);
    const lines = (await response.text()).trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event !== 'progress');
  };
  const all = await records('q=many');
  assert.deepEqual(all.at(-1), { event: 'end', scanned_from: null, next_cursor: null });
  assert.deepEqual(
    all.slice(0, -1).map(({ message }) => message),
    Array.from({ length: 250 }, (_, n) => `many ${249 - n}`),
  );
  const some = await records('q=many&limit=120&context=1');
  assert.equal(some.length, 121);
  const rest = await records(`q=many&cursor=${some.at(-1)?.next_cursor}`);
  assert.equal(rest.length, 131);
  assert.deepEqual(rest[0]?.message, 'many 129');
});

test('what is not asked rightly is refused by name, before anything is streamed', async (t) => {
  const { json, call } = await seeded(t);
  const bad: [string, string, string][] = [
    ['limit=0', 'invalid_parameter', 'limit'],
    ['limit=1001', 'invalid_parameter', 'limit'],
    ['context=21', 'invalid_parameter', 'context'],
    ['budget_ms=49', 'invalid_parameter', 'budget_ms'],
    ['budget_ms=10001', 'invalid_parameter', 'budget_ms'],
    ['group=source', 'invalid_parameter', 'group'],
    ['facets=yes', 'invalid_parameter', 'facets'],
    ['task=a%20b', 'invalid_parameter', 'task'],
    ['cursor=x', 'invalid_cursor', 'cursor'],
    ['level=loud', 'invalid_filter', 'level'],
    ['search=(&regex=true', 'invalid_filter', 'search'],
    ['follow=true', 'unknown_parameter', 'follow'],
    ['q=level:loud', 'invalid_query', 'q'],
  ];
  for (const [query, code, path] of bad) {
    const { status, body } = await json('GET', `/api/logs/search?${query}`);
    assert.deepEqual([status, body.code, body.errors[0].path], [400, code, path], query);
    const lines = await call('GET', `/api/logs/search?${query}`, undefined, { accept: 'application/x-ndjson' });
    assert.deepEqual([lines.status, (await lines.json()).code], [400, code], query);
  }
  for (const path of ['histogram?buckets=0', 'facets?limit=1', 'histogram?cursor=x'])
    assert.equal((await json('GET', `/api/logs/search/${path}`)).status, 400, path);
  const grouped = await call('GET', '/api/logs/search?group=task', undefined, { accept: 'application/x-ndjson' });
  assert.equal(grouped.status, 400);
});

test('an empty task is refused wherever lines of many tasks are asked for', async (t) => {
  const { json } = await seeded(t);
  for (const path of ['search', 'search/histogram', 'search/facets', 'patterns']) {
    for (const query of ['task=', 'task=,', 'task=&task=', 'q=timeout&task=']) {
      const { status, body } = await json('GET', `/api/logs/${path}?${query}`);
      assert.deepEqual([status, body.code, body.detail], [400, 'invalid_parameter', 'task: expected a task id'], query);
    }
  }
  assert.equal((await json('GET', '/api/logs/search?q=&level=&cursor=&task=a')).status, 200);
});

test('a page ends before it becomes too long for one answer, and the next one goes on there', async (t) => {
  const { json, trail } = await seeded(t);
  const long = 'long '.repeat(200_000);
  for (let n = 0; n < 12; n++) await trail.append('a', { message: `${n} ${long}`, timestamp: at(31) });
  const found: string[] = [];
  let cursor = '';
  let pages = 0;
  do {
    const { body } = await json('GET', `/api/logs/search?q=long&cursor=${cursor}`);
    found.push(...body.logs.map(({ message }: { message: string }) => message.split(' ')[0]));
    cursor = body.next_cursor ?? '';
    pages += 1;
  } while (cursor !== '');
  assert.deepEqual(
    found,
    Array.from({ length: 12 }, (_, n) => `${11 - n}`),
  );
  assert.ok(pages > 1);
});

type ReadStore = Awaited<ReturnType<typeof openTrail>>['parts']['store'];

/** The store with another search. */
function searching(store: ReadStore, search: ReadStore['search']): ReadStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'search') return search;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A store whose searches last until their signal aborts. */
function endless(store: ReadStore) {
  const begun: AbortSignal[] = [];
  let more = Promise.withResolvers<void>();
  const held = searching(
    store,
    (_, signal) =>
      new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        if (signal) begun.push(signal);
        more.resolve();
        more = Promise.withResolvers();
      }),
  );
  const reached = async (count: number): Promise<void> => {
    while (begun.length < count) await more.promise;
  };
  return { store: held, begun, reached };
}

test('a search whose time was up says how far it came, and goes on there', async (t) => {
  const { store } = (await seeded(t)).trail.parts;
  const place = { timestamp: at(20), taskId: 'c', seq: 7 };
  // The newest lines take all the time there is.
  const slow = searching(store, (query, signal) =>
    query.after
      ? store.search(query, signal)
      : Promise.resolve({ entries: [], next: place, scannedFrom: at(20), complete: false }),
  );
  const { json, call } = await served(t, { store: slow });
  const first = (await json('GET', '/api/logs/search?q=timeout')).body;
  assert.deepEqual([first.logs, first.scanned_from, first.complete], [[], at(20), false]);
  const second = (await json('GET', `/api/logs/search?q=timeout&cursor=${first.next_cursor}`)).body;
  assert.deepEqual([second.logs[0].id, second.logs.length, second.complete], ['b:7', 8, true]);
  const streamed = await call('GET', '/api/logs/search?q=timeout', undefined, { accept: 'application/x-ndjson' });
  const records = (await streamed.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([records[0].event, records[0].scanned_from], ['progress', at(20)]);
  assert.deepEqual([records.length, records.at(-1).event], [10, 'end']);
});

test('a client who goes cancels its search, and one who comes beyond what may run is told to wait', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const { store, begun, reached } = endless(trail.parts.store);
  const { url, json } = await served(t, { ...trail.parts, store });
  const leave = Array.from({ length: SEARCHES }, () => {
    const request = http.get(`${url}/api/logs/search?q=x`);
    request.on('error', () => {});
    return () => request.destroy();
  });
  await reached(SEARCHES);
  const startMs = performance.now();
  const late = await json('GET', '/api/logs/search?q=x');
  assert.deepEqual([late.status, late.body.code], [429, 'too_many_searches']);
  assert.equal(late.headers.get('retry-after'), '1');
  assert.ok(performance.now() - startMs >= SEARCH_WAIT_MS * 0.9);
  assert.equal(begun.length, SEARCHES);
  leave[0]?.();
  const first = begun[0] as AbortSignal;
  if (!first.aborted) await once(first, 'abort');
  // Its place is free: the next one begins.
  const next = http.get(`${url}/api/logs/search?q=x`, { headers: { accept: 'application/x-ndjson' } });
  next.on('error', () => {});
  await reached(SEARCHES + 1);
  for (const go of leave) go();
  next.destroy();
  for (const signal of begun) if (!signal.aborted) await once(signal, 'abort');
});

test('a reader may search', async (t) => {
  const tokens = [{ role: 'reader', token: 'reader-token-0123456789' }] as const;
  const { call } = await seeded(t, { settings: { tokens: [...tokens] } });
  assert.equal((await call('GET', '/api/logs/search?q=x')).status, 401);
  const headers = { authorization: `Bearer ${tokens[0].token}` };
  for (const path of ['search', 'search/facets', 'search/histogram'])
    assert.equal((await call('GET', `/api/logs/${path}?q=x`, undefined, headers)).status, 200, path);
});
