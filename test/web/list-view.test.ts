import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heardAtMs, isAtWork, silence } from '../../src/web/lib/beat.ts';
import { COLUMNS, firstOrder, nextSort, readColumns, WIDTH_PX } from '../../src/web/lib/columns.ts';
import { type Completion, completed, completionAt, TASK_FIELDS } from '../../src/web/lib/complete.ts';
import { excludedIn, withExcluded, withoutExcluded, withTerm } from '../../src/web/lib/exclude.ts';
import {
  isFiltered,
  listViewParams,
  PLAIN_VIEW,
  readListView,
  withChosen,
  withOnly,
} from '../../src/web/lib/list-view.ts';
import { readText } from '../../src/web/lib/query.ts';
import { SPARK, sparkOf } from '../../src/web/lib/spark.ts';

test('the view of the list comes back from its address, and what is not valid in it is left out', () => {
  const view = {
    chosen: { status: ['failed', 'executing'], tag: ['ci'] },
    q: 'night',
    sort: 'cost',
    order: 'asc',
  } as const;
  assert.deepEqual(readListView(listViewParams(view)), view);
  assert.equal(listViewParams(PLAIN_VIEW).size, 0);
  assert.deepEqual(readListView(new URLSearchParams('status=nope,failed,failed&q=x&sort=size&order=up&source=')), {
    ...PLAIN_VIEW,
    chosen: { status: ['failed'] },
    q: 'x',
  });
  assert.deepEqual(readListView(new URLSearchParams('status=running')).chosen, { status: ['executing'] });
});

test('only one value is chosen by a click, and none by another', () => {
  const one = withOnly(withChosen(PLAIN_VIEW, 'source', ['a', 'b']), 'source', 'b');
  assert.deepEqual(one.chosen, { source: ['b'] });
  assert.equal(isFiltered(one), true);
  const none = withOnly(one, 'source', 'b');
  assert.deepEqual(none.chosen, {});
  assert.equal(isFiltered(none), false);
  assert.equal(isFiltered({ ...PLAIN_VIEW, sort: 'cost' }), false, 'an order is no filter');
});

test('what is left out stands in the query, whatever the query says and the value is called', () => {
  for (const q of ['', 'a', 'a b', 'a OR b', '-tag:ci', 'status:failed "x y"']) {
    for (const value of ['git', 'a b', '"', 'a,b', '-x', ')']) {
      const without = withExcluded(q, 'tag', value);
      assert.equal(readText(without, 'tasks').note?.kind, undefined, without);
      assert.ok(excludedIn(without, 'tag').includes(value), `${without} leaves out ${value}`);
      assert.equal(withExcluded(without, 'tag', value), without, 'once is enough');
      const back = withoutExcluded(without, 'tag', value);
      assert.equal(excludedIn(back, 'tag').includes(value), false);
      assert.equal(back, q === 'a OR b' ? '(a OR b)' : q);
    }
  }
  assert.equal(withExcluded('a OR b', 'source', 'git'), '(a OR b) -source:git');
  assert.deepEqual(excludedIn('-source:a,b OR x', 'source'), [], 'one side of an OR leaves nothing out');
  assert.deepEqual(excludedIn('-(-source:a)', 'source'), []);
  assert.equal(withTerm('a OR b', 'tag', 'x,y'), '(a OR b) tag:"x,y"');
});

const VALUES = { status: { failed: 3, executing: 9 }, tag: { nightly: 1, 'a b': 4 } };
const at = (text: string, caret = text.length) => completionAt(text, caret, { fields: TASK_FIELDS, values: VALUES });
const words = (found: Completion | null) => found?.options.map(({ text }) => text);

test('completion knows the fields, and the values of the field before the caret', () => {
  assert.deepEqual(words(at('sta')), ['status:']);
  assert.deepEqual(words(at('night -(ta')), ['tag:', 'task:']);
  assert.deepEqual(words(at('status:')), ['executing', 'failed'], 'the most frequent first');
  assert.deepEqual(words(at('status:fa')), ['failed']);
  assert.deepEqual(words(at('-status:failed,e')), ['executing', 'failed'], 'what begins so before what holds it');
  assert.deepEqual(words(at('dur')), ['dur>']);
  assert.deepEqual(words(at('dur>1')), ['>10m', '>1h']);
  assert.deepEqual(words(at('after:')), ['-1h', '-1d', '-7d', '-30d']);
  assert.equal(words(at(''))?.length, TASK_FIELDS.length);
  for (const text of ['nothing:', '"sta', 'status:failed', 'xyz', 'http://sta']) assert.equal(at(text), null, text);
});

test('what is taken stands in place of the word, is quoted where it must be, and is understood', () => {
  const take = (text: string, index = 0, caret = text.length) => {
    const found = at(text, caret);
    const option = found?.options[index];
    assert.ok(found && option, text);
    return completed(text, found, option);
  };
  assert.deepEqual(take('a sta'), { text: 'a status:', caret: 9 });
  assert.deepEqual(take('status:fa'), { text: 'status:failed ', caret: 14 });
  assert.deepEqual(take('status:fa next', 0, 9), { text: 'status:failed next', caret: 14 });
  assert.deepEqual(take('(tag:a'), { text: '(tag:"a b" ', caret: 11 });
  assert.deepEqual(take('dur:>1'), { text: 'dur>10m ', caret: 8 });
  assert.deepEqual(take('after:-7'), { text: 'after:-7d ', caret: 10 });
  for (const text of ['status:fa', 'tag:a', 'cost', 'dur>', 'before:']) {
    let all = take(text).text;
    if (/[<>:]$/.test(all)) all = take(all).text;
    assert.equal(readText(all, 'tasks').note, undefined, all);
  }
});

test('columns that were kept come back, within bounds, and the one that must stay stays', () => {
  const kept = { hidden: ['cost', 'task', 'nope'], widths: { status: 3, lines: 120, nope: 9, cost: 'x' } };
  assert.deepEqual(readColumns(JSON.stringify(kept)), {
    hidden: ['cost'],
    widths: { status: WIDTH_PX.least, lines: 120 },
  });
  for (const broken of [null, '', '[]', '7', 'null', '{"hidden":3,"widths":null}']) {
    assert.deepEqual(readColumns(broken), { hidden: [], widths: {} });
  }
});

test('sorting by key comes to every sortable column and back', () => {
  const seen = new Set<string>();
  for (let sort = nextSort('created_at'); sort !== 'created_at'; sort = nextSort(sort)) {
    assert.equal(seen.has(sort), false);
    seen.add(sort);
  }
  assert.deepEqual(seen, new Set(COLUMNS.flatMap((column) => ('sort' in column ? [column.sort] : []))));
  assert.equal(nextSort('updated_at'), 'created_at');
  assert.deepEqual(
    ['title', 'cost'].map((sort) => firstOrder(sort as 'title' | 'cost')),
    ['asc', 'desc'],
  );
});

test('a task at work is silent after two minutes, and nothing is said before its lines are known', () => {
  assert.deepEqual([0, 119_999, 120_000, 6.5 * 60_000, 3_600_000, 50 * 3_600_000].map(silence), [
    null,
    null,
    'silent for 2 min',
    'silent for 6 min',
    'silent for 1 h',
    'silent for 2 days',
  ]);
  const task = { updated_at: '2026-11-01T10:00:00.000Z', log: { last_seq: 0 } } as Parameters<typeof heardAtMs>[0];
  const updatedMs = Date.parse(task.updated_at);
  assert.equal(heardAtMs(task, undefined), updatedMs);
  const written = { ...task, log: { ...task.log, last_seq: 5 } };
  assert.equal(heardAtMs(written, undefined), null);
  const spark = { bars: '', errors: '', errorBars: 0, lastAtMs: updatedMs + 5 };
  assert.equal(heardAtMs(written, spark), updatedMs + 5);
  assert.deepEqual(
    ['executing', 'paused', 'completed'].map((status) => isAtWork({ status } as never)),
    [true, false, false],
  );
});

test('a sparkline has a bar for each part of the time with lines, and a tick where there are errors', () => {
  const bucket = (total: number, ERROR = 0) => ({
    timestamp: '2026-11-01T10:00:00.000Z',
    total,
    by_level: { DEBUG: 0, INFO: total - ERROR, WARNING: 0, ERROR },
  });
  const spark = sparkOf({
    from: '2026-11-01T10:00:00.000Z',
    to: '2026-11-01T11:00:00.000Z',
    width_ms: 1,
    exact: true,
    buckets: [bucket(4, 1), bucket(0), bucket(100), bucket(1, 1)],
  });
  assert.equal(spark.bars.match(/M/g)?.length, 3);
  assert.equal(spark.errors.match(/M/g)?.length, 2);
  assert.equal(spark.errorBars, 2);
  assert.equal(spark.lastAtMs, Date.parse('2026-11-01T11:00:00.000Z'));
  const heights = [...spark.bars.matchAll(/v-([\d.]+)/g)].map(([, height]) => Number(height));
  assert.ok(heights.every((height) => height >= 1.5 && height < SPARK.height));
  assert.equal(Math.max(...heights), heights[1]);
  assert.deepEqual(sparkOf({ from: null, to: null, width_ms: 0, exact: true, buckets: [] }), {
    bars: '',
    errors: '',
    errorBars: 0,
    lastAtMs: null,
  });
});
