import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBHOOK_EVENT_LINES } from '../../../src/core/limits.ts';
import type { EventCommit, EventCommitStep, Store } from '../../../src/core/ports.ts';
import { isoTime } from '../../../src/core/time.ts';
import { allMessages, line, numbered, type OpenStore, opened, plain, rejectsWith, START, taskOf } from './support.ts';

const HOUR_MS = 60 * 60 * 1000;

/** Events of other systems: each stored once, in order. */
export function eventsContract(open: OpenStore): void {
  placeContract(open);
  refusalContract(open);
  taskContract(open);
  moveContract(open);
}

function placeContract(open: OpenStore): void {
  test('the place of a stream moves with what is stored, and is there after opening again', async (t) => {
    const { store } = await opened(t, open);
    assert.equal(await store.eventPlace('s'), null);
    await store.applyEvents(commitOf([said('a', ['one'])], { from: null, to: '1-0' }));
    assert.equal(await store.eventPlace('s'), '1-0');
    await store.applyEvents(commitOf([], { from: '1-0', to: '2-0' }));
    await store.applyEvents(commitOf([], { stream: 'other', from: null, to: '9-0' }));
    const again = (await store.reopen?.()) ?? store;
    assert.equal(await again.eventPlace('s'), '2-0');
    assert.equal(await again.eventPlace('other'), '9-0');
    assert.deepEqual(await allMessages(again, 'a'), ['one']);
  });

  test('events that were stored already are refused whole, however often they come', async (t) => {
    const { store, wakes } = await opened(t, open);
    const commit = commitOf([said('a', ['one']), waiting('w', ['for its task'])], { from: null, to: '1-0' });
    await store.applyEvents(commit);
    wakes.length = 0;
    await rejectsWith('event_conflict', () => store.applyEvents(commit));
    await rejectsWith('event_conflict', () => store.applyEvents(commitOf([said('b', ['two'])], { from: '0-5' })));
    assert.equal(await store.eventPlace('s'), '1-0');
    assert.deepEqual(await allMessages(store, 'a'), ['one']);
    await rejectsWith('task_not_found', () => store.task('b'));
    assert.deepEqual(wakes, []);
    await apply(store, [{ ...said('a', []), webhookEventId: 'w' }]);
    assert.deepEqual(await allMessages(store, 'a'), ['one', 'for its task']);
  });

  test('of many readers at one place one goes on', async (t) => {
    const { store } = await opened(t, open);
    const readers = Array.from({ length: 10 }, (_, n) =>
      store.applyEvents(commitOf([said('a', [`by ${n}`])], { from: null, to: '1-0' })).then(
        () => true,
        ({ code }) => code,
      ),
    );
    assert.deepEqual((await Promise.all(readers)).sort(), [...Array(9).fill('event_conflict'), true]);
    assert.equal((await allMessages(store, 'a')).length, 1);
  });

  test('the place of a stream that was made anew is put elsewhere, also back to its beginning', async (t) => {
    const { store } = await opened(t, open);
    await store.applyEvents(commitOf([], { from: null, to: '9-0' }));
    await store.setEventPlace('s', '1-0');
    await store.applyEvents(commitOf([], { from: '1-0', to: '2-0' }));
    await store.setEventPlace('s', null);
    assert.equal(await store.eventPlace('s'), null);
    await store.applyEvents(commitOf([], { from: null, to: '3-0' }));
    assert.equal(await store.eventPlace('s'), '3-0');
  });
}

function refusalContract(open: OpenStore): void {
  test('what a commit refused stands beside the place until it is buried; what a deleted task was told does not', async (t) => {
    const { store } = await opened(t, open);
    await store.createTask(taskOf('gone'));
    await store.deleteTask('gone', 'ada');
    assert.deepEqual(await store.eventRefusals('s'), []);
    const many = waiting('w', Array(WEBHOOK_EVENT_LINES + 1).fill('too many'));
    const steps = [said('a', ['one']), many, said('gone', ['late'])].map((step, n) => ({ ...step, id: `1-${n}` }));
    const before = { id: '1-9', reason: 'it never came to the store' };
    await store.applyEvents(commitOf(steps, { refused: [before] }));
    const again = (await store.reopen?.()) ?? store;
    const [first, second, ...more] = await again.eventRefusals('s');
    assert.deepEqual([first, second?.id, more], [before, '1-1', []]);
    assert.match(second?.reason ?? '', /^expected at most 1000 lines/);
    assert.deepEqual(await again.eventRefusals('other'), []);
    await again.applyEvents(
      commitOf([], { from: '1-0', to: '2-0', buried: ['1-9'], refused: [{ id: '1-10', reason: '' }] }),
    );
    assert.deepEqual(
      (await again.eventRefusals('s')).map(({ id }) => id),
      ['1-1', '1-10'],
    );
    await again.applyEvents(commitOf([], { from: '2-0', to: '2-0', buried: ['1-1', '1-10', 'never'] }));
    assert.deepEqual(await again.eventRefusals('s'), []);
  });
}

function taskContract(open: OpenStore): void {
  test('lines of many tasks, however mixed, stand in the order of their task, and each task is told of once', async (t) => {
    const { store, wakes } = await opened(t, open);
    const steps = numbered(30).map(({ message }, n) => said(`t${n % 3}`, [message, `${message} more`]));
    await apply(store, steps);
    for (const n of [0, 1, 2]) {
      const expected = numbered(30)
        .filter((_, at) => at % 3 === n)
        .flatMap(({ message }) => [message, `${message} more`]);
      assert.deepEqual(await allMessages(store, `t${n}`), expected);
    }
    const told = [...wakes].sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
    assert.deepEqual(
      told,
      [0, 1, 2].map((n) => ({ taskId: `t${n}`, lastSeq: 20 })),
    );
    assert.equal((await store.changes(0, 10)).tasks.length, 3);
    assert.deepEqual(await store.totals(), { entries: 60, lost: 0 });
  });

  test('an event of a task that nobody knows makes it, as one that another system works on', async (t) => {
    const { store, wakes } = await opened(t, open);
    await apply(store, [said('silent', [])]);
    const { status, source, runner, startedAt, provider } = await store.task('silent');
    assert.deepEqual([status, source, runner, startedAt, provider], ['executing', 'redis', null, START, null]);
    const draft = {
      source: 'jira',
      title: 'Mend it',
      status: 'queued',
      metadata: { a: 1 },
      metrics: { costUsd: 1 },
    } as const;
    await apply(store, [{ ...said('told', ['one']), draft }]);
    const told = await store.task('told');
    assert.deepEqual(
      [told.source, told.provider, told.title, told.status, told.startedAt],
      ['jira', 'jira', 'Mend it', 'queued', null],
    );
    assert.deepEqual([told.metadata, told.metrics.costUsd, told.log.total], [{ a: 1 }, 1, 1]);
    assert.deepEqual(wakes, [
      { taskId: 'silent', lastSeq: 0 },
      { taskId: 'told', lastSeq: 1 },
    ]);
  });

  test('what an event says of a task that is there replaces what it names, and metadata and figures are merged', async (t) => {
    const { store, clock } = await opened(t, open);
    const runner = 'plugin:demo';
    const before = taskOf('a', {
      runner,
      kind: 'fix',
      title: 'old',
      metadata: { a: 1, b: 1 },
      metrics: { numTurns: 3 },
    });
    await store.createTask(before);
    clock.turn(5);
    const draft = {
      ...{ source: 'github', title: 'new', createdAt: '2026-01-23T00:00:00.000Z' },
      ...{ metadata: { b: 2 }, metrics: { costUsd: 2 } },
      status: 'queued' as const,
    };
    await apply(store, [{ ...said('a', []), draft }]);
    const after = await store.task('a');
    assert.deepEqual(plain(after), {
      ...plain(before),
      ...{ source: 'github', provider: 'github', title: 'new', createdAt: '2026-01-23T00:00:00.000Z' },
      ...{ metadata: { a: 1, b: 2 }, metrics: { ...before.metrics, costUsd: 2 }, updatedAt: isoTime(clock.now()) },
    });
    await apply(store, [
      { ...said('a', []), draft: { provider: 'sentry' } },
      { ...said('a', []), draft: { kind: 'k' } },
    ]);
    const { source, provider, kind } = await store.task('a');
    assert.deepEqual([source, provider, kind], ['github', 'sentry', 'k'], 'what is not named stays');
  });

  test('the step of a deleted task fails alone, whatever it says', async (t) => {
    const { store } = await opened(t, open);
    await store.createTask(taskOf('gone'));
    await store.deleteTask('gone', 'ada');
    const steps = [
      said('a', ['one']),
      said('gone', ['two']),
      said('b', ['fine']),
      said('gone', ['and a half']),
      { ...said('gone', ['three']), draft: { title: 'again' }, change: { status: 'completed' } as const },
      said('a', ['four']),
      said('gone', []),
      waiting('w', ['five']),
      { ...said('gone', []), webhookEventId: 'w' },
      { ...said('a', []), webhookEventId: 'w' },
    ];
    const gone = 'task_deleted';
    assert.deepEqual(await apply(store, steps), [null, gone, null, gone, gone, null, gone, null, gone, null]);
    assert.deepEqual(await allMessages(store, 'a'), ['one', 'four', 'five']);
    await rejectsWith('task_deleted', () => store.task('gone'));
    assert.equal(await store.eventPlace('s'), '1-0');
  });

  test('lines that stand for lost ones count as lost, and lines that were filtered make a task known', async (t) => {
    const { store } = await opened(t, open);
    await apply(store, [
      { ...said('a', ['one']), batch: { drafts: [line('one')], filtered: 1, lost: 3 } },
      { ...said('b', []), batch: { drafts: [], filtered: 2, lost: 0 } },
      { ...said('a', []), batch: { drafts: [], filtered: 0, lost: 4 } },
    ]);
    assert.deepEqual([(await store.task('a')).log.lost, (await store.task('b')).log.total], [7, 0]);
    assert.deepEqual(await store.totals(), { entries: 1, lost: 7 });
  });
}

function moveContract(open: OpenStore): void {
  test('a task is made, starts, speaks and ends in one commit as in many', async (t) => {
    for (const size of [1, 2, 10]) {
      const { store, clock } = await opened(t, open);
      const steps: EventCommitStep[] = [
        { ...said('a', []), draft: { source: 'slack', status: 'queued', title: 'Do it' } },
        { ...said('a', ['begun']), change: { status: 'executing', model: 'm', startedAt: START } },
        said('a', ['one']),
        said('a', ['two']),
        { ...said('a', ['done']), change: { status: 'completed', result: { ok: true }, metrics: { costUsd: 0.5 } } },
      ];
      clock.turn(2_000);
      for (let at = 0; at < steps.length; at += size) await apply(store, steps.slice(at, at + size));
      const task = await store.task('a');
      assert.deepEqual([task.status, task.ended, task.model, task.result], ['completed', true, 'm', { ok: true }]);
      assert.deepEqual([task.metrics.costUsd, task.metrics.durationSeconds], [0.5, 2]);
      assert.deepEqual(await allMessages(store, 'a'), ['begun', 'one', 'two', 'done']);
    }
  });

  test('what comes after the end keeps its lines and leaves the end as it is', async (t) => {
    const { store, clock } = await opened(t, open);
    await apply(store, [{ ...said('a', []), change: { status: 'failed', error: 'broken', exitCode: 1 } }]);
    const ended = await store.task('a');
    clock.turn(1_000);
    const late = [
      { status: 'executing', model: 'late' },
      { status: 'failed', error: 'again' },
      { status: 'completed', result: 1, metrics: { costUsd: 9 } },
      { status: 'awaiting_input' },
    ] as const;
    await apply(
      store,
      late.map((change) => ({ ...said('a', [change.status]), change })),
    );
    const { log: _, ...after } = await store.task('a');
    const { log: __, ...before } = ended;
    assert.deepEqual(plain(after), plain(before));
    assert.deepEqual(
      await allMessages(store, 'a'),
      late.map(({ status }) => status),
    );
    await apply(store, [{ ...said('a', []), draft: { title: 'named late', status: 'executing' } }]);
    const named = await store.task('a');
    assert.deepEqual([named.title, named.status, named.completedAt], ['named late', 'failed', ended.completedAt]);
  });

  test('a move that may not be made from where a task is stays out with its figures', async (t) => {
    const { store } = await opened(t, open);
    await store.createTask(taskOf('a', { status: 'pending_approval' }));
    const change = { status: 'executing', model: 'm', metrics: { costUsd: 1 } } as const;
    assert.deepEqual(await apply(store, [{ ...said('a', ['one']), change }]), [null]);
    const { status, model, metrics, log } = await store.task('a');
    assert.deepEqual([status, model, metrics.costUsd, log.total], ['pending_approval', null, null, 1]);
  });

  test('an event opens a task again whose reporter was thought gone', async (t) => {
    const changes = [undefined, { status: 'executing' }, { status: 'completed', result: 'late' }] as const;
    for (const change of changes) {
      const { store, clock, wakes } = await opened(t, open);
      await apply(store, [said('a', ['one'])]);
      clock.turn(2 * HOUR_MS);
      assert.deepEqual(await store.failVanished(isoTime(clock.now()), 10), ['a']);
      wakes.length = 0;
      await apply(store, [{ ...said('a', change ? [] : ['here']), ...(change && { change }) }]);
      const { status, error, result } = await store.task('a');
      const expected = change?.status === 'completed' ? ['completed', null, 'late'] : ['executing', null, null];
      assert.deepEqual([status, error, result], expected);
      assert.equal(wakes.length, 1);
    }
  });
}

/** Steps of the stream `s` from where it is to `1-0`. Answers the code of each fault. */
export async function apply(store: Store, steps: readonly EventCommitStep[]): Promise<(string | null)[]> {
  const from = await store.eventPlace('s');
  const applied = await store.applyEvents(commitOf(steps, { from }));
  return applied.map(({ error }) => error?.code ?? null);
}

function commitOf(steps: readonly EventCommitStep[], over: Partial<EventCommit> = {}): EventCommit {
  return { stream: 's', from: null, to: '1-0', steps, ...over };
}

/** An event of a task. */
export function said(taskId: string, messages: readonly string[]): EventCommitStep {
  return { taskId, webhookEventId: null, batch: { drafts: messages.map((text) => line(text)), filtered: 0, lost: 0 } };
}

/** An event of which only the webhook event is known. */
export function waiting(webhookEventId: string, messages: readonly string[]): EventCommitStep {
  return { ...said('', messages), taskId: null, webhookEventId };
}
