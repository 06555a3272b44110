import assert from 'node:assert/strict';
import test from 'node:test';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';

test('a trail in this process is searched page by page, with marks and context', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  for (const taskId of ['a', 'b']) {
    await trail.create({ taskId });
    await trail.append(taskId, [{ message: 'begin' }, { message: `Boom ${taskId}` }, { message: 'end' }]);
  }
  const first = await trail.search({ q: 'boom', limit: 1, context: 1 });
  const second = await trail.search({ q: 'boom', limit: 1, context: 1, cursor: first.nextCursor ?? '' });
  assert.deepEqual([...first.logs, ...second.logs].map(({ taskId }) => taskId).sort(), ['a', 'b']);
  assert.deepEqual([second.nextCursor, second.scannedFrom, second.complete], [null, null, true]);
  const [line] = first.logs;
  assert.deepEqual(line?.highlights, [[0, 4]]);
  assert.deepEqual([line?.context?.before[0]?.message, line?.context?.after[0]?.message], ['begin', 'end']);
  assert.equal((await trail.search({ q: 'boom', tasks: ['b'] })).logs.length, 1);
  assert.equal((await trail.search({ q: 'boom', tasks: [] })).logs.length, 0);
});

test('a search that is asked wrongly, or that nobody wants any more, throws', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  for (const options of [{ limit: 0 }, { limit: 1_001 }, { context: 21 }, { budgetMs: 1 }]) {
    await assert.rejects(trail.search(options), { code: 'invalid_parameter' });
  }
  await assert.rejects(trail.search({ cursor: 'x' }), { code: 'invalid_cursor' });
  const gone = new Error('gone');
  await assert.rejects(trail.search({ signal: AbortSignal.abort(gone) }), gone);
});
