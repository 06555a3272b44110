import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { newTask } from '../../../src/core/change.ts';
import type { Draft, LogEntry } from '../../../src/core/entry.ts';
import { type ErrorCode, TrailError } from '../../../src/core/error.ts';
import type { EntryPage } from '../../../src/core/page.ts';
import type { Appended, Batch, Store, StoreReader, Wake } from '../../../src/core/ports.ts';
import type { ReadQuery, Receipt } from '../../../src/core/query.ts';
import type { Task, TaskDraft } from '../../../src/core/task.ts';
import { type Clock, isoTime } from '../../../src/core/time.ts';
import type { DeliveryDraft, DeliveryLimits } from '../../../src/core/webhook.ts';

/** `reopen` closes the store and opens it again on the same data; a store that keeps nothing has none. */
export type OpenedStore = Store & { readonly reopen?: () => Promise<OpenedStore> };
export type OpenStore = (
  t: TestContext,
  options: { clock: Clock; onCommit: Wake; deliveryLimits?: DeliveryLimits },
) => Promise<OpenedStore>;

export const START = '2026-01-24T10:00:00.000Z';
const START_MS = Date.parse(START);
export const DAY_MS = 24 * 60 * 60 * 1000;

/** A clock that moves only when told to. */
export class TurnedClock implements Clock {
  #nowMs = START_MS;

  now(): number {
    return this.#nowMs;
  }

  turn(ms: number): void {
    this.#nowMs += ms;
  }
}

/** An empty store with a clock of the test's own, and all that its `onCommit` was told. */
export async function opened(t: TestContext, open: OpenStore, options: { deliveryLimits?: DeliveryLimits } = {}) {
  const clock = new TurnedClock();
  const wakes: { taskId: string; lastSeq: number }[] = [];
  const onCommit: Wake = ({ taskId, lastSeq }) => wakes.push({ taskId, lastSeq });
  const store = await open(t, { ...options, clock, onCommit });
  return { store, clock, wakes };
}

export function taskOf(taskId: string, draft: TaskDraft = {}): Task {
  return newTask({ ...draft, taskId }, START);
}

/** An empty store that holds one task, `a`. */
export async function withTask(t: TestContext, open: OpenStore) {
  const held = await opened(t, open);
  await held.store.createTask(taskOf('a'));
  return held;
}

export function line(message: string, over: Partial<Draft> = {}): Draft {
  return {
    timestamp: START,
    level: 'INFO',
    source: 'system',
    stream: null,
    type: 'log',
    message,
    metadataJson: null,
    ...over,
  };
}

/** `count` lines that say their number, a millisecond apart. */
export function numbered(count: number, over: (n: number) => Partial<Draft> = () => ({})): Draft[] {
  return Array.from({ length: count }, (_, i) =>
    line(`line ${i + 1}`, { timestamp: isoTime(START_MS + i), ...over(i + 1) }),
  );
}

export function batch(taskId: string, drafts: readonly Draft[], over: Partial<Batch> = {}): Batch {
  return { taskId, drafts, filtered: 0, lost: 0, ...over };
}

/** A delivery that started nothing. */
export function deliveryOf(over: Partial<DeliveryDraft> = {}): DeliveryDraft {
  return {
    ...{ webhookId: 'github', provider: 'github', receivedAt: START, deliveryId: 'd-1', eventType: 'issues.opened' },
    ...{ sender: 'ada', signature: 'valid', outcome: 'ignored', reason: null, detail: null, taskId: null },
    ...{ bytes: 17, replayOf: null, headers: { 'x-github-event': 'issues' }, body: '{"action":"opened"}' },
    ...over,
  };
}

/** Append one batch that must succeed. */
export async function stored(store: Store, taskId: string, drafts: readonly Draft[], over: Partial<Batch> = {}) {
  const [appended] = await store.append([batch(taskId, drafts, over)]);
  return receiptOf(appended);
}

export function receiptOf(appended: Appended | undefined): Receipt {
  assert.ok(appended && 'receipt' in appended, `expected a receipt, got ${appended?.error?.message ?? 'nothing'}`);
  return appended.receipt;
}

/** A draft with its seq: what the store must answer. */
export function entryOf(taskId: string, seq: number, draft: Draft): LogEntry {
  const { metadataJson, ...plain } = draft;
  return {
    id: `${taskId}:${seq}`,
    seq,
    taskId,
    ...plain,
    metadata: metadataJson === null ? null : JSON.parse(metadataJson),
  };
}

/** Read page after page until the store says that the window is done; each page is checked to keep what a page promises. */
export async function allPages(store: StoreReader, taskId: string, query: ReadQuery): Promise<EntryPage[]> {
  const pages: EntryPage[] = [];
  let { after = 0, before, offset = 0 } = query;
  for (;;) {
    const asked = { ...query, after, offset, ...(before !== undefined && { before }) };
    const page = await store.read(taskId, asked);
    checkPage(page, asked);
    pages.push(page);
    if (page.done) return pages;
    offset -= page.skipped;
    if (query.order === 'desc') {
      assert.ok(before === undefined || page.scannedTo < before, 'a page that is not done goes on');
      before = page.scannedTo;
    } else {
      assert.ok(page.scannedTo > after, 'a page that is not done goes on');
      after = page.scannedTo;
    }
  }
}

export async function allEntries(
  store: StoreReader,
  taskId: string,
  query: Partial<ReadQuery> = {},
): Promise<LogEntry[]> {
  const pages = await allPages(store, taskId, { limit: 1_000, ...query });
  return pages.flatMap((page) => page.entries);
}

export async function allMessages(store: StoreReader, taskId: string): Promise<string[]> {
  return (await allEntries(store, taskId)).map((entry) => entry.message);
}

export async function rejectsWith(code: ErrorCode, action: () => Promise<unknown>): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof TrailError, `expected a TrailError, got ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}

/** The same data without prototypes' differences, so that `deepEqual` compares what a caller sees. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function checkPage(page: EntryPage, query: ReadQuery): void {
  const { after = 0, before = Number.POSITIVE_INFINITY, offset = 0, limit, order = 'asc' } = query;
  const seqs = page.entries.map((entry) => entry.seq);
  const sorted = [...new Set(seqs)].sort((a, b) => (order === 'asc' ? a - b : b - a));
  assert.deepEqual(seqs, sorted, 'entries come in order, none twice');
  assert.equal(page.count, seqs.length);
  assert.ok(page.count <= limit, 'a page holds at most its limit');
  assert.equal(page.firstSeq, seqs.length === 0 ? null : Math.min(...seqs));
  assert.equal(page.lastSeq, seqs.length === 0 ? null : Math.max(...seqs));
  assert.ok(page.skipped <= offset, 'a page skips no more than its offset');
  for (const seq of seqs) {
    assert.ok(seq > after && seq < before, 'entries lie in the window');
    assert.ok(order === 'asc' ? seq <= page.scannedTo : seq >= page.scannedTo, 'what was found was looked at');
  }
}
