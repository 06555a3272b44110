import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EntryInput } from '../../src/core/entry.ts';
import { openTrail } from '../../src/trail/open.ts';
import { type Place, place, tasktrail } from './cli.ts';

/** A place whose directory holds a good run and a failed one, and no server. */
async function recorded(t: TestContext): Promise<Place> {
  const there = await place(t);
  const trail = await openTrail({ dataDir: there.dataDir });
  const steps: EntryInput[] = Array.from({ length: 12 }, (_, n) => ({ message: `step ${n} of 12` }));
  await trail.create({ taskId: 'good', title: 'Nightly', createdAt: '2026-01-24T10:00:00.000Z' });
  await trail.append('good', [...steps, { message: 'all good' }]);
  await trail.complete('good');
  await trail.create({ taskId: 'bad', title: 'Nightly', createdAt: '2026-01-25T10:00:00.000Z' });
  await trail.append('bad', [...steps, { message: 'cannot open /tmp/\u001b[2J7', level: 'error' }]);
  await trail.fail('bad', 'no disk');
  await trail.close();
  return there;
}

test('patterns lists how often each pattern of a task comes', async (t) => {
  const there = await recorded(t);
  const { code, stdout, stderr } = await tasktrail(t, there, 'patterns', 'bad');
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(stdout.split('\n'), [
    'COUNT  LEVEL  TASKS  PATTERN',
    '12     INFO   1      step <n> of <n>',
    '1      ERROR  1      cannot open <path>',
    '',
  ]);
  const cut = await tasktrail(t, there, 'patterns', 'bad', '--limit', '1');
  assert.match(cut.stderr, /1 more lines have other patterns; --limit shows more/);
});

test('patterns without a task counts the lines of all, and a query narrows them', async (t) => {
  const there = await recorded(t);
  const { stdout } = await tasktrail(t, there, 'patterns', '--query', '-open', '--json');
  const { patterns, total } = JSON.parse(stdout);
  assert.equal(total, 25);
  assert.deepEqual(
    patterns.map(({ template, count, tasks }: Record<string, unknown>) => [template, count, tasks]),
    [
      ['step <n> of <n>', 24, 2],
      ['all good', 1, 1],
    ],
  );
});

test('compare finds the last good run by itself, and says what is new and gone', async (t) => {
  const there = await recorded(t);
  const { code, stdout } = await tasktrail(t, there, 'compare', 'bad');
  assert.equal(code, 0);
  assert.deepEqual(stdout.split('\n'), [
    'task  bad  failed  13 lines  Nightly',
    'base  good  completed  13 lines  Nightly',
    '',
    'NEW (1)',
    'COUNT  LEVEL  IN BASE  SHARE  PATTERN',
    '1      ERROR  0               cannot open <path>',
    '',
    'GONE (1)',
    'COUNT  LEVEL  IN BASE  SHARE  PATTERN',
    '0      INFO   1               all good',
    '',
    'SAME (1)',
    '',
  ]);
  const named = await tasktrail(t, there, 'compare', 'bad', 'good', '--min-level', 'error', '--json');
  assert.deepEqual(JSON.parse(named.stdout).totals, { new: 1, gone: 0, changed: 0, same: 0 });
});

test('what cannot be compared or is not understood says why', async (t) => {
  const there = await recorded(t);
  const lonely = await tasktrail(t, there, 'compare', 'good');
  assert.equal(lonely.code, 1);
  assert.match(lonely.stderr, /no completed task before good/);
  assert.match((await tasktrail(t, there, 'patterns', 'none')).stderr, /there is no task none/);
  const bad = await tasktrail(t, there, 'patterns', '--limit', '0');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /--limit: expected a whole number/);
  assert.match((await tasktrail(t, there, 'patterns', '--query', 'level:loud')).stderr, /\^+/);
  for (const command of ['patterns', 'compare']) {
    assert.match((await tasktrail(t, there, command, '--help')).stdout, /Examples:\n {2}\$ tasktrail/);
  }
});
