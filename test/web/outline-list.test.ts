import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogFilter } from '../../src/core/filter.ts';
import { type Mark, markOf } from '../../src/core/outline.ts';
import { OutlineTree, type Part } from '../../src/core/outline-tree.ts';
import { causesOf } from '../../src/web/lib/causes.ts';
import { groupFolds, groupNear, groupsAround, groupsIn, isGroupFolded } from '../../src/web/lib/groups.ts';
import { currentRow, outlineRows, shareOf } from '../../src/web/lib/outline-list.ts';
import { longestSilence, slowDowns } from '../../src/web/lib/silences.ts';

const START_MS = Date.UTC(2026, 0, 25, 10);

/** The tree of lines, one a second; a line of `✖` is an error. */
function treeOf(messages: readonly string[], ended = true): OutlineTree {
  const tree = new OutlineTree();
  messages.forEach((message, n) => {
    const level = message.startsWith('✖') ? 'ERROR' : 'INFO';
    const timestamp = new Date(START_MS + n * 1_000).toISOString();
    const mark = markOf({ seq: n + 1, timestamp, level, source: 'ci', type: 'log', message, metadata: null });
    if (mark) tree.add(mark);
  });
  if (ended) tree.end(messages.length, START_MS + messages.length * 1_000);
  return tree;
}

const BUILD = [
  '::group::a',
  'x',
  '::group::b',
  '✖',
  '::endgroup::',
  '::endgroup::',
  '::group::c',
  'y',
  '::endgroup::',
  'z',
];

test('groups that went well are folded, those with an error are open, and a choice counts more', () => {
  const groups = groupsIn(treeOf(BUILD).parts);
  assert.deepEqual(
    groups.map((part) => [part.title, part.from, part.to, isGroupFolded(part, new Map())]),
    [
      ['a', 1, 6, false],
      ['b', 3, 5, false],
      ['c', 7, 9, true],
    ],
  );
  assert.deepEqual(groupFolds(groups, new Map(), 10), [{ start: 7, count: 2 }]);
  assert.deepEqual(
    groupFolds(
      groups,
      new Map([
        [1, true],
        [7, false],
      ]),
      10,
    ),
    [{ start: 1, count: 5 }],
  );
});

test('a group that goes on is open, and folded by hand it reaches to the newest line', () => {
  const groups = groupsIn(treeOf(['::group::a', 'x', 'y'], false).parts);
  assert.deepEqual(groupFolds(groups, new Map(), 3), []);
  assert.deepEqual(groupFolds(groups, new Map([[1, true]]), 9), [{ start: 1, count: 8 }]);
});

test('the groups around a line, and the ones before and behind it, are found', () => {
  const groups = groupsIn(treeOf(BUILD).parts);
  assert.deepEqual(
    groupsAround(groups, 4).map(({ title }) => title),
    ['a', 'b'],
  );
  assert.deepEqual(groupsAround(groups, 1), []);
  assert.deepEqual(
    [groupNear(groups, 1, 'next'), groupNear(groups, 7, 'previous'), groupNear(groups, 7, 'next')],
    [3, 3, undefined],
  );
});

test('whatever groups a log opens and ends, every part lies within the one around it', () => {
  const line = fc.constantFrom('::group::g', '::endgroup::', '--- section', '##[group]h', '##[endgroup]', 'x', '✖');
  const check = (parts: readonly Part[], around: { from: number; to: number }): void => {
    for (const part of parts) {
      const to = part.to ?? Number.NaN;
      assert.ok(part.from >= around.from && to <= around.to && to >= part.from, JSON.stringify(part));
      check(part.parts, { from: part.from, to });
    }
  };
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const tree = treeOf(lines);
      check(tree.parts, { from: 1, to: lines.length });
      assert.equal(groupsIn(tree.parts).length, tree.count);
    }),
  );
});

test('a tree made of marks in several goes is the same', () => {
  const marks: Mark[] = BUILD.flatMap((message, n) => {
    const level = message.startsWith('✖') ? 'ERROR' : 'INFO';
    return (
      markOf({
        seq: n + 1,
        timestamp: new Date(n).toISOString(),
        level,
        source: 'ci',
        type: 'log',
        message,
        metadata: null,
      }) ?? []
    );
  });
  const tree = new OutlineTree();
  for (const mark of marks.slice(0, 2)) tree.add(mark);
  assert.equal(
    groupsIn(tree.parts).every(({ open }) => open),
    true,
  );
  for (const mark of marks.slice(2)) tree.add(mark);
  assert.deepEqual(
    groupsIn(tree.parts).map(({ to, errors }) => [to, errors]),
    [
      [6, 1],
      [5, 1],
      [9, 0],
    ],
  );
});

test('the outline lists what is open, and knows where the reader is', () => {
  const tree = treeOf(BUILD);
  const rows = outlineRows(tree.parts, new Map(), tree.count);
  assert.deepEqual(
    rows.map(({ part, depth, open }) => [part.title, depth, open]),
    [
      ['a', 0, true],
      ['b', 1, null],
      ['c', 0, null],
    ],
  );
  assert.deepEqual(
    [4, 6, 8, 10, 0].map((seq) => currentRow(rows, seq)),
    [1, 0, 2, 2, -1],
  );
  assert.equal(outlineRows(tree.parts, new Map([[1, false]]), tree.count).length, 2);
  assert.equal(outlineRows(tree.parts, new Map(), 5_000).length, 2);
  assert.deepEqual(
    rows.map(({ part }) => shareOf(part, 5_000)),
    [1, 0.4, 0.4],
  );
});

test('the longest silence is found where it is worth a look', () => {
  const buckets = (totals: readonly number[]) =>
    totals.map((total, n) => ({
      ...{ timestamp: new Date(START_MS + n * 10_000).toISOString(), total },
      by_level: { DEBUG: 0, INFO: total, WARNING: 0, ERROR: 0 },
    }));
  assert.deepEqual(longestSilence({ width_ms: 10_000, buckets: buckets([1, 0, 2, 0, 0, 0, 4, 0, 1]) }), {
    from: new Date(START_MS + 30_000).toISOString(),
    ms: 30_000,
  });
  assert.equal(longestSilence({ width_ms: 100, buckets: buckets([1, 0, 0, 1]) }), undefined);
  assert.equal(longestSilence({ width_ms: 10_000, buckets: [] }), undefined);
});

test('slow-downs are the silences that are a large part of the time, in order', () => {
  const buckets = Array.from({ length: 500 }, (_, n) => ({
    timestamp: new Date(START_MS + n * 1_000).toISOString(),
    total: (n > 10 && n < 16) || (n > 100 && n < 105) || n > 490 ? 0 : 3,
    by_level: { DEBUG: 0, INFO: 3, WARNING: 0, ERROR: 0 },
  }));
  const from = (n: number) => new Date(START_MS + n * 1_000).toISOString();
  assert.deepEqual(slowDowns({ width_ms: 1_000, buckets }), [
    { from: from(11), ms: 5_000 },
    { from: from(491), ms: 9_000 },
  ]);
  assert.deepEqual(slowDowns({ width_ms: 100, buckets }), [], 'less than a second is none');
  assert.deepEqual(slowDowns({ width_ms: 1, buckets: [] }), []);
});

test('causes are asked for with few reads, and what is not there is not told', async () => {
  const asked: LogFilter[] = [];
  const reads = {
    seqNear: async (filter: LogFilter, _seq: number) => {
      asked.push(filter);
      return filter.levels ? 4 : 2;
    },
    histogram: async () => ({ from: null, to: null, width_ms: 0, exact: true, buckets: [] }),
  };
  const task = { exit_code: 2, log: { last_seq: 10 } } as Parameters<typeof causesOf>[0];
  assert.deepEqual(await causesOf(task, reads, new AbortController().signal), [
    { kind: 'first', seq: 4 },
    { kind: 'exit', code: 2 },
  ]);
  assert.equal(asked.length, 2);
});
