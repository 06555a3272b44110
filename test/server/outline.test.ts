import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EntryInput } from '../../src/core/entry.ts';
import { markOfWire } from '../../src/core/outline.ts';
import { OutlineTree, type Part } from '../../src/core/outline-tree.ts';
import { openTrail } from '../../src/trail/open.ts';
import { recorded } from '../support/recorded.ts';
import { scratch } from '../support/scratch.ts';
import { served } from '../support/served.ts';

/** A server over a real database. */
async function trailed(t: TestContext) {
  const trail = await openTrail({ dataDir: await scratch(t), taskLevel: 'DEBUG' });
  t.after(() => trail.close());
  const { store, intake, live } = trail.parts;
  const server = await served(t, { store, intake, live });
  const run = async (taskId: string, lines: readonly (EntryInput | string)[]) => {
    await trail.create({ taskId });
    await trail.append(
      taskId,
      lines.map((line) => (typeof line === 'string' ? { message: line } : line)),
    );
  };
  return { ...server, trail, run };
}

function told(parts: readonly Part[]): unknown[] {
  return parts.map(({ kind, title, from, to, errors, parts: inner }) => [
    ...[kind, title, from, to, errors],
    ...(inner.length > 0 ? [told(inner)] : []),
  ]);
}

test('groups of all kinds come with their place, duration and errors', async (t) => {
  const { json, run } = await trailed(t);
  const at = (second: number) => ({ timestamp: Date.UTC(2026, 0, 25, 10, 0, second) });
  await run('ci', [
    { message: 'hello', ...at(0) },
    { message: '::group::Install', ...at(1) },
    { message: '\u001b[32m##[group]npm ci\u001b[0m', ...at(2) },
    { message: 'lost it', level: 'ERROR', ...at(3) },
    { message: 'lost it again', level: 'ERROR', ...at(3) },
    { message: '##[endgroup]', ...at(4) },
    { message: '::endgroup::', ...at(5) },
    { message: '--- :hammer: Build', source: 'bk', ...at(6) },
    { message: 'x', source: 'bk', ...at(6) },
    { message: '+++ Test', source: 'bk', ...at(8) },
    { message: '--- a/file.ts', source: 'bk', ...at(9) },
    { message: '+++ b/file.ts', source: 'bk', ...at(9) },
    { message: '--- FAIL: TestAll (0.00s)', source: 'bk', ...at(9) },
    { message: '[load][Entry]', metadata: { belief_scope: 'load', belief_state: 'Entry' }, ...at(9) },
    { message: '[load][Exit]', metadata: { belief_scope: 'load', belief_state: 'Exit', duration_ms: 12 }, ...at(10) },
  ]);
  const { status, body } = await json('GET', '/api/tasks/ci/outline');
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.scanned_to, body.last_seq, body.complete], [15, 15, true]);
  const tree = new OutlineTree();
  for (const mark of body.marks) tree.add(markOfWire(mark));
  tree.end(15, Date.UTC(2026, 0, 25, 10, 0, 20));
  assert.deepEqual(told(tree.parts), [
    ['group', 'Install', 2, 7, 2, [['group', 'npm ci', 3, 6, 2]]],
    ['group', ':hammer: Build', 8, 9, 0],
    ['group', 'Test', 10, 15, 0],
    ['group', 'load', 14, 15, 0],
  ]);
  assert.deepEqual([tree.parts[0]?.durationMs, tree.parts[3]?.durationMs], [4_000, 12]);
  assert.deepEqual([tree.firstError, tree.lastError], [4, 5]);
  assert.equal((await json('GET', '/tasks/ci/outline')).status, 200);
});

test('an agent’s run is turns with calls, each with its answer', async (t) => {
  const { json, run } = await trailed(t);
  await run('agent', await recorded('success'));
  const { body } = await json('GET', '/api/tasks/agent/outline');
  const tree = new OutlineTree();
  for (const mark of body.marks) tree.add(markOfWire(mark));
  const kinds = tree.parts.map(({ kind, parts }) => [kind, parts.map((part) => part.kind)]);
  assert.ok(
    kinds.some(([kind]) => kind === 'turn'),
    JSON.stringify(kinds),
  );
  assert.equal(kinds.at(-1)?.[0], 'result');
  const calls = tree.parts.flatMap(({ parts }) => parts).filter(({ kind }) => kind === 'call');
  assert.ok(calls.length > 0);
  for (const call of calls) assert.ok(call.answer !== null && call.answer > call.from && call.durationMs !== null);
});

test('an outline comes in pieces, and together they are the whole', async (t) => {
  const { json, run } = await trailed(t);
  const lines = Array.from({ length: 300 }, (_, n) =>
    n % 3 === 0 ? `::group::part ${n}` : n % 3 === 1 ? { message: 'bad', level: 'ERROR' } : '::endgroup::',
  );
  await run('long', lines);
  const { body: whole } = await json('GET', '/api/tasks/long/outline');
  assert.equal(whole.marks.length, 300);
  const marks = [];
  let after = 0;
  for (;;) {
    const { body } = await json('GET', `/api/tasks/long/outline?limit=7&after=${after}`);
    assert.ok(body.marks.length <= 7);
    marks.push(...body.marks);
    if (body.complete) break;
    assert.ok(body.scanned_to > after);
    after = body.scanned_to;
  }
  assert.deepEqual(marks, whole.marks);
});

test('an outline goes on where it ended when the task has grown, and errors in a row are one mark', async (t) => {
  const { json, run, trail } = await trailed(t);
  await run('live', ['::group::a', ...Array.from({ length: 2_500 }, () => ({ message: 'bad', level: 'ERROR' }))]);
  const { body: first } = await json('GET', '/api/tasks/live/outline');
  assert.deepEqual(
    first.marks.map(({ seq, kind, to, count }: Record<string, unknown>) => [seq, kind, to, count]),
    [
      [1, 'group', undefined, undefined],
      [2, 'errors', 2_501, 2_500],
    ],
  );
  await trail.append('live', [{ message: '::endgroup::' }]);
  const { body } = await json('GET', `/api/tasks/live/outline?after=${first.scanned_to}`);
  assert.deepEqual(
    body.marks.map(({ seq, kind }: Record<string, unknown>) => [seq, kind]),
    [[2_502, 'group_end']],
  );
});

test('a wrong place or an unknown task is refused', async (t) => {
  const { json, run } = await trailed(t);
  await run('demo', ['x']);
  assert.equal((await json('GET', '/api/tasks/demo/outline?after=-1')).status, 400);
  assert.equal((await json('GET', '/api/tasks/demo/outline?limit=5000')).status, 400);
  assert.equal((await json('GET', '/api/tasks/none/outline')).status, 404);
});
