import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { WireAnalytics } from '../../src/core/wire-analytics.ts';
import { openTrail } from '../../src/trail/open.ts';
import { place, reach, serve, tasktrail } from './cli.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A place with tasks of today and of ten days ago, and no server. */
async function recorded(t: TestContext) {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  const tenDaysAgo = new Date(Date.now() - 10 * DAY_MS).toISOString();
  await trail.create({ taskId: 'a', source: 'nightly', title: 'a title\nof two lines \u001b[2J' });
  await trail.append('a', [{ message: 'one' }, { message: 'two', level: 'error' }]);
  await trail.complete('a', { metrics: { costUsd: 12.5, inputTokens: 123_456, durationSeconds: 90 } });
  await trail.create({ taskId: 'b', source: 'nightly', createdAt: tenDaysAgo });
  await trail.fail('b', 'cannot open /tmp/x-1/y.txt', { metrics: { durationSeconds: 30 } });
  await trail.create({ taskId: 'c', source: 'hourly', createdAt: tenDaysAgo });
  await trail.close();
  return { ...at, tenDaysAgo };
}

test('stats sums up tasks as a table, with the dearest and why tasks failed, safe to look at', async (t) => {
  const at = await recorded(t);
  const { code, stdout, stderr } = await tasktrail(t, at, 'stats', '--group-by', 'source');
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^Tasks made from \d{4}-\d\d-\d\dT00:00:00\.000Z until \d{4}-\d\d-\d\dT00:00:00\.000Z\n\n/);
  assert.match(stdout, /^SOURCE +RUNS +SUCCESS +COST +TOKENS IN +OUT +CACHED +P50 +P95 +LINES +ERRORS$/m);
  assert.match(stdout, /^nightly +2 +50 % +\$12\.50 +123\.5K +- +- +30\.0 s +1 min 30 s +2 +1$/m);
  assert.match(stdout, /^hourly +1 +- +- +- +- +- +- +- +0 +0$/m);
  assert.match(stdout, /^TOTAL +3 +50 % /m);
  assert.match(stdout, /^Dearest tasks\n\$12\.50 {2}completed {2}a {2}a title of two lines ␛\[2J$/m);
  assert.match(stdout, /^Why tasks failed\n1 {2}b {2}cannot open <path>$/m);
});

test('stats as JSON and as CSV is what the API answers, with times as people say them', async (t) => {
  const at = await recorded(t);
  const week = JSON.parse((await tasktrail(t, at, 'stats', '--from', '-7d', '--json')).stdout) as WireAnalytics;
  assert.deepEqual([week.group_by, week.total.runs, week.total.cost_usd], ['day', 1, 12.5]);
  const old = JSON.parse((await tasktrail(t, at, 'stats', '--to=-7d', '--json')).stdout) as WireAnalytics;
  assert.deepEqual(
    old.groups.map(({ key, runs }) => [key, runs]),
    [[at.tenDaysAgo.slice(0, 10), 2]],
  );
  const { stdout } = await tasktrail(t, at, 'stats', '--group-by', 'source', '--csv');
  const [head, first, second] = stdout.split('\r\n');
  assert.match(String(head), /^source,runs,ended,/);
  assert.deepEqual([first?.slice(0, 12), second?.slice(0, 9)], ['nightly,2,2,', 'hourly,1,']);
});

test('deleted tasks count on, and the table says what is known of them only about', async (t) => {
  const at = await recorded(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  await trail.delete('a');
  await trail.close();
  const { stdout } = await tasktrail(t, at, 'stats', '--group-by', 'source');
  assert.match(stdout, /^nightly +2 +50 % +\$12\.50 .* ~30\.0 s +~1 min \d+ s +2 +1$/m);
  assert.match(stdout, /^~ with deleted tasks, whose durations are known to 2\.5 %$/m);
  assert.doesNotMatch(stdout, /Dearest/);
});

test('the directory of a deleted task that is imported again brings no second run', async (t) => {
  const at = await recorded(t);
  const kept = join(at.cwd, 'kept');
  await tasktrail(t, at, 'check', '--repair');
  await cp(join(at.dataDir, 'tasks', 'a'), join(kept, 'a'), { recursive: true });
  const trail = await openTrail({ dataDir: at.dataDir });
  await trail.delete('a');
  await trail.close();
  // What its id answers for 90 days is over.
  const db = new DatabaseSync(join(at.dataDir, 'tasktrail.db'));
  db.exec('DELETE FROM tombstones');
  db.close();
  const ask = async () => JSON.parse((await tasktrail(t, at, 'stats', '--json')).stdout) as WireAnalytics;
  const { total } = await ask();
  assert.match((await tasktrail(t, at, 'import', kept)).stdout, /^1 tasks with 2 lines imported/);
  assert.deepEqual([total.runs, (await ask()).total], [3, total]);
});

test('a server answers the same as the directory', async (t) => {
  const at = await recorded(t);
  const ask = ['stats', '--group-by', 'status', '--json'] as const;
  const alone = await tasktrail(t, at, ...ask);
  const { url } = await serve(t, at);
  assert.equal((await tasktrail(t, at, ...ask)).stdout, alone.stdout);
  const trail = await reach(t, url);
  const { total, topCost } = await trail.analytics({ from: at.tenDaysAgo.slice(0, 10) });
  assert.deepEqual([total.runs, total.durationP95Seconds, topCost[0]?.taskId], [3, 90, 'a']);
  await assert.rejects(trail.analytics({ from: 'yesterday' }), { code: 'invalid_parameter', message: /^from: / });
});

test('a flag that is wrong is named, with what is expected', async (t) => {
  const at = await recorded(t);
  for (const [flags, said] of [
    [['--group-by', 'colour'], /--group-by: expected day, source, agent, model, status, got colour/],
    [['--from', 'yesterday'], /--from: expected ISO 8601, Unix milliseconds or how long ago \(-7d\), got yesterday/],
    [['--from', '2026-01-02', '--to', '2026-01-01'], /from: expected a time before/],
    [['a', '--csv'], /--csv: it goes with all tasks/],
    [['--csv', '--json'], /cannot be used with/],
  ] as const) {
    const { code, stderr } = await tasktrail(t, at, 'stats', ...flags);
    assert.equal(code, 2, stderr);
    assert.match(stderr, said);
  }
  assert.match((await tasktrail(t, at, 'stats', '--help')).stdout, /\$ tasktrail stats --from=-7d --group-by agent/);
});
