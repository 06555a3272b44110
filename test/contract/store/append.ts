import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH_LINES, KEY_DAYS, LAST_LINE_CHARS, LINE_BYTES } from '../../../src/core/limits.ts';
import {
  allEntries,
  allMessages,
  batch,
  DAY_MS,
  entryOf,
  line,
  numbered,
  type OpenStore,
  opened,
  plain,
  receiptOf,
  stored,
  taskOf,
  withTask,
} from './support.ts';

/** Lines on their way in: numbering, receipts, keys, what is counted. */
export function appendContract(open: OpenStore): void {
  test('one append numbers the lines of many tasks, each 1, 2, 3 … in the order of its batches', async (t) => {
    const { store } = await opened(t, open);
    for (const id of ['a', 'b', 'c']) await store.createTask(taskOf(id));
    const results = await store.append([
      batch('a', [line('a1'), line('a2')]),
      batch('b', [line('b1')]),
      batch('a', [line('a3')]),
      batch('c', []),
      batch('b', [line('b2'), line('b3'), line('b4')]),
    ]);
    const spans = results.map(receiptOf).map(({ accepted, firstSeq, lastSeq }) => [accepted, firstSeq, lastSeq]);
    assert.deepEqual(spans, [
      [2, 1, 2],
      [1, 1, 1],
      [1, 3, 3],
      [0, null, null],
      [3, 2, 4],
    ]);
    assert.deepEqual(await allMessages(store, 'a'), ['a1', 'a2', 'a3']);
    assert.deepEqual(await allMessages(store, 'b'), ['b1', 'b2', 'b3', 'b4']);
    assert.deepEqual(await allMessages(store, 'c'), []);
  });

  test('lines of many appends under way at once are numbered without holes, each batch in one piece', async (t) => {
    const { store } = await withTask(t, open);
    const receipts = await Promise.all(
      Array.from({ length: 40 }, (_, i) => stored(store, 'a', [line(`${i}.0`), line(`${i}.1`), line(`${i}.2`)])),
    );
    const entries = await allEntries(store, 'a');
    assert.deepEqual(
      entries.map((entry) => entry.seq),
      Array.from({ length: 120 }, (_, i) => i + 1),
    );
    receipts.forEach(({ firstSeq, lastSeq }, i) => {
      assert.equal(Number(lastSeq) - Number(firstSeq), 2);
      const piece = entries.slice(Number(firstSeq) - 1, Number(lastSeq)).map((entry) => entry.message);
      assert.deepEqual(piece, [`${i}.0`, `${i}.1`, `${i}.2`]);
    });
  });

  test('an append of no batches answers no results', async (t) => {
    const { store } = await opened(t, open);
    assert.deepEqual(await store.append([]), []);
  });

  test('the largest batch is stored whole', async (t) => {
    const { store } = await withTask(t, open);
    const receipt = await stored(store, 'a', numbered(BATCH_LINES));
    assert.deepEqual(plain(receipt), { accepted: BATCH_LINES, filtered: 0, firstSeq: 1, lastSeq: BATCH_LINES });
    const page = await store.read('a', { after: BATCH_LINES - 2, limit: 10 });
    assert.deepEqual(
      page.entries.map((entry) => entry.message),
      [`line ${BATCH_LINES - 1}`, `line ${BATCH_LINES}`],
    );
  });

  test('a line comes back with every field as it was given', async (t) => {
    const { store } = await withTask(t, open);
    const drafts = [
      line(''),
      line('NUL \u0000 inside, ESC \u001b[31mred\u001b[0m, \r\n and "quotes" \\ \u2028'),
      line('İstanbul ß Σς \u212a 😀 e\u0301 \ufffd'),
      line('x'.repeat(LINE_BYTES)),
      line('all', {
        timestamp: '1999-12-31T23:59:59.999Z',
        level: 'ERROR',
        source: "o'brien 😀",
        stream: 'stderr',
        type: 'tool_result',
        metadataJson: '{"progress":0.5,"deep":{"list":[null,true,"ü"],"__proto__":{"x":1}},"10":"b","9":"a"}',
      }),
      line('none', { stream: 'stdout', type: 'thinking', level: 'DEBUG', metadataJson: '{}' }),
      line('first year', { timestamp: '0000-01-01T00:00:00.000Z', level: 'WARNING', source: '__proto__' }),
    ];
    await stored(store, 'a', drafts);
    assert.deepEqual(plain(await allEntries(store, 'a')), plain(drafts.map((draft, i) => entryOf('a', i + 1, draft))));
  });

  test('a receipt says how many lines were below the level, and has no seqs when nothing was stored', async (t) => {
    const { store } = await withTask(t, open);
    const some = await stored(store, 'a', [line('kept')], { filtered: 3 });
    const none = await stored(store, 'a', [], { filtered: 2 });
    assert.deepEqual(plain(some), { accepted: 1, filtered: 3, firstSeq: 1, lastSeq: 1 });
    assert.deepEqual(plain(none), { accepted: 0, filtered: 2, firstSeq: null, lastSeq: null });
    assert.equal((await store.task('a')).log.total, 1);
  });

  test('a batch for an unknown or deleted task fails alone', async (t) => {
    const { store } = await opened(t, open);
    for (const id of ['a', 'gone']) await store.createTask(taskOf(id));
    await store.deleteTask('gone', 'ada');
    const results = await store.append([
      batch('a', [line('one')]),
      batch('nobody', [line('lost')]),
      batch('gone', [line('lost')]),
      batch('a', [line('two')]),
    ]);
    assert.deepEqual(
      results.map((result) => ('receipt' in result ? result.receipt.lastSeq : result.error.code)),
      [1, 'task_not_found', 'task_deleted', 2],
    );
    assert.deepEqual(await allMessages(store, 'a'), ['one', 'two']);
  });

  test('a key that is known gets its first receipt again and stores nothing', async (t) => {
    const { store, clock } = await withTask(t, open);
    const key = { value: 'k1', digest: 'd1' };
    const first = await stored(store, 'a', [line('one'), line('two')], { key, filtered: 1, lost: 2 });
    await stored(store, 'a', [line('three')]);
    clock.turn(KEY_DAYS * DAY_MS - 1);
    const again = await stored(store, 'a', [line('one'), line('two')], { key, filtered: 1, lost: 2 });
    assert.deepEqual(plain(again), plain(first));
    assert.deepEqual(await allMessages(store, 'a'), ['one', 'two', 'three']);
    assert.equal((await store.task('a')).log.lost, 2, 'what was lost is counted once');
  });

  test('a key holds within one append too, and for a batch that stored nothing', async (t) => {
    const { store } = await withTask(t, open);
    const twice = batch('a', [line('one')], { key: { value: 'k1', digest: 'd1' } });
    const results = plain(await store.append([twice, twice]));
    assert.deepEqual(results[1], results[0]);
    const empty = { key: { value: 'k2', digest: 'd2' }, filtered: 4 };
    assert.deepEqual(plain(await stored(store, 'a', [], empty)), plain(await stored(store, 'a', [], empty)));
    assert.deepEqual(await allMessages(store, 'a'), ['one']);
  });

  test('a known key with another body is refused, alone, and stores nothing', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', [line('one')], { key: { value: 'k', digest: 'd1' } });
    const results = await store.append([
      batch('a', [line('other')], { key: { value: 'k', digest: 'd2' }, lost: 5 }),
      batch('a', [line('two')]),
    ]);
    assert.equal(results[0]?.error?.code, 'idempotency_mismatch');
    assert.equal(receiptOf(results[1]).firstSeq, 2);
    assert.deepEqual(await allMessages(store, 'a'), ['one', 'two']);
    assert.equal((await store.task('a')).log.lost, 0);
  });

  test('a key belongs to its task, and a batch that failed does not use it up', async (t) => {
    const { store } = await withTask(t, open);
    const key = { value: 'k', digest: 'd' };
    await stored(store, 'a', [line('in a')], { key });
    assert.equal((await store.append([batch('b', [line('in b')], { key })]))[0]?.error?.code, 'task_not_found');
    await store.createTask(taskOf('b'));
    const receipt = await stored(store, 'b', [line('in b')], { key });
    assert.deepEqual(plain(receipt), { accepted: 1, filtered: 0, firstSeq: 1, lastSeq: 1 });
    assert.deepEqual(await allMessages(store, 'b'), ['in b']);
  });

  test('an ended task takes late lines and stays ended', async (t) => {
    const { store } = await withTask(t, open);
    await store.changeTask('a', { status: 'failed', error: 'broken', exitCode: 3 });
    assert.equal((await stored(store, 'a', [line('late')])).firstSeq, 1);
    const task = await store.task('a');
    assert.deepEqual([task.status, task.ended, task.error, task.exitCode], ['failed', true, 'broken', 3]);
    assert.equal(task.log.total, 1);
  });

  test('a task counts its lines by level, those that were lost, and shows the newest', async (t) => {
    const { store } = await withTask(t, open);
    const empty = {
      total: 0,
      lastSeq: 0,
      lost: 0,
      byLevel: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 },
      lastLine: null,
    };
    assert.deepEqual(plain((await store.task('a')).log), empty);
    await stored(store, 'a', [line('one'), line('two', { level: 'ERROR' }), line('three', { level: 'DEBUG' })]);
    await stored(store, 'a', [], { lost: 7, filtered: 2 });
    await stored(store, 'a', [line('four', { timestamp: '1999-01-01T00:00:00.000Z' })], { lost: 1 });
    assert.deepEqual(plain((await store.task('a')).log), {
      total: 4,
      lastSeq: 4,
      lost: 8,
      byLevel: { DEBUG: 1, INFO: 2, WARNING: 0, ERROR: 1 },
      lastLine: 'four',
    });
  });

  test('the newest line is shown by its start, never by half a character', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', [line('x'.repeat(LAST_LINE_CHARS + 50))]);
    assert.equal((await store.task('a')).log.lastLine, 'x'.repeat(LAST_LINE_CHARS));
    await stored(store, 'a', [line(`${'x'.repeat(LAST_LINE_CHARS - 1)}😀 and more`)]);
    const start = String((await store.task('a')).log.lastLine);
    assert.ok(start.isWellFormed() && start.startsWith('x'.repeat(LAST_LINE_CHARS - 1)));
    assert.ok(start.length <= LAST_LINE_CHARS);
  });

  test('each commit is told with the task and the seq that it reaches', async (t) => {
    const { store, wakes } = await opened(t, open);
    const last = (taskId: string) => wakes.findLast((wake) => wake.taskId === taskId)?.lastSeq;
    for (const id of ['a', 'b']) await store.createTask(taskOf(id));
    assert.deepEqual([last('a'), last('b')], [0, 0]);
    await store.append([batch('a', [line('1'), line('2')]), batch('b', [line('1')]), batch('a', [line('3')])]);
    assert.deepEqual([last('a'), last('b')], [3, 1]);
    wakes.length = 0;
    await store.changeTask('a', { title: 'new' });
    assert.deepEqual(wakes, [{ taskId: 'a', lastSeq: 3 }]);
    wakes.length = 0;
    await store.deleteTask('b', 'ada');
    assert.deepEqual(
      wakes.map((wake) => wake.taskId),
      ['b'],
    );
  });
}
