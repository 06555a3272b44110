import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { TrailError } from '../core/error.ts';
import type { LogFilter } from '../core/filter.ts';
import type { FollowEvent, Following } from '../core/live.ts';
import type { EntryPage } from '../core/page.ts';
import type { Status } from '../core/status.ts';
import { taskToWire } from '../core/wire.ts';
import { readFilter } from '../query/filter.ts';
import { hasMore } from '../query/page.ts';
import type { Context } from './context.ts';
import { markedEntry, wireEntries } from './marked.ts';
import type { LogQuery } from './schemas.ts';
import { pour } from './stream.ts';

const NDJSON = 'application/x-ndjson';
/** How long an EventSource may wait that has nothing to come back for: it got no id, so it could not say where it stands. */
const NO_RETURN_MS = 24 * 60 * 60 * 1000;

/** Who cannot be told in this time that nothing is left gets the stream, which is never wrong. */
const END_BUDGET_MS = 1_000;

/** How lines and control events are written: Server-Sent Events or NDJSON. */
interface Writing {
  readonly contentType: string;
  line(seq: number, json: string): string;
  control(event: string, data: object): string;
  /** What is added to an end that a reader could not resume from. */
  readonly noReturn: string;
}

const SSE: Writing = {
  contentType: 'text/event-stream; charset=utf-8',
  line: (seq, json) => `id: ${seq}\ndata: ${json}\n\n`,
  control: (event, data) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  noReturn: `retry: ${NO_RETURN_MS}\n\n`,
};
/** Control records bear `event`, which no entry has. */
const LINES: Writing = {
  contentType: `${NDJSON}; charset=utf-8`,
  line: (_, json) => `${json}\n`,
  control: (event, data) => `${JSON.stringify({ event, ...data })}\n`,
  noReturn: '',
};

interface Follow {
  readonly taskId: string;
  readonly query: Static<typeof LogQuery>;
  readonly marked: boolean;
}

/** Stream stored lines, then live ones, until the task has ended. Asked again at that end: 204. */
export async function sendFollow(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { taskId, query, marked }: Follow,
): Promise<FastifyReply | undefined> {
  const filter = readFilter(query);
  refuseWindow(query);
  const after = lastEventId(request) ?? query.after;
  const task = await context.store.task(taskId);
  if (task.ended && after !== undefined && !(await linesAfter(context, taskId, { filter, after }))) {
    return reply.code(204).send();
  }
  context.streams.enter(request, reply.raw);
  const gone = new AbortController();
  const hold = request.caller && context.access.hold(request.caller);
  reply.raw.once('close', () => {
    gone.abort();
    hold?.release();
  });
  const signal = AbortSignal.any([gone.signal, context.closing, ...(hold ? [hold.signal] : [])]);
  const start = after !== undefined ? { after } : query.tail !== undefined ? { tail: query.tail } : {};
  const following = context.live.follow(taskId, { filter, signal, ...start });
  const writing = request.headers.accept?.includes(NDJSON) ? LINES : SSE;
  const headers = {
    'content-type': writing.contentType,
    'cache-control': 'no-cache, no-store, no-transform',
    'x-accel-buffering': 'no',
  };
  const chunks = texts(following, { writing, marked, heartbeatMs: context.heartbeatMs, resumed: after !== undefined });
  await pour(reply, headers, chunks);
  return undefined;
}

/** A follower has one direction and no page: parameters of pages would be ignored, so they are refused. */
function refuseWindow(query: Static<typeof LogQuery>): void {
  for (const name of ['before', 'offset', 'limit', 'order', 'count'] as const) {
    // The mission's own example sends offset=0 and limit with everything it asks.
    if (query[name] !== undefined && name !== 'limit' && query[name] !== 0 && query[name] !== 'asc') {
      throw new TrailError('invalid_parameter', `${name}: it does not go with follow=true; use after or tail`, {
        errors: [{ path: name, detail: 'does not go with follow=true' }],
      });
    }
  }
}

function lastEventId({ headers }: FastifyRequest): number | undefined {
  const value = headers['last-event-id'];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  throw new TrailError('invalid_parameter', 'Last-Event-ID: expected the id of an event, a whole number', {
    errors: [{ path: 'Last-Event-ID', detail: 'expected a whole number' }],
  });
}

async function linesAfter(
  { store }: Context,
  taskId: string,
  { filter, after }: { filter: LogFilter; after: number },
): Promise<boolean> {
  return (await hasMore(store, taskId, { filter, after }, END_BUDGET_MS)) ?? true;
}

interface Making {
  readonly writing: Writing;
  readonly marked: boolean;
  readonly heartbeatMs: number;
  readonly resumed: boolean;
}

async function* texts(
  following: Following,
  { writing, marked, heartbeatMs, resumed }: Making,
): AsyncGenerator<string | Uint8Array> {
  let hasId = resumed;
  let status: Status | undefined;
  for await (const event of withBeats(following, heartbeatMs)) {
    switch (event.type) {
      case 'entries':
        hasId = true;
        yield lines(event.page, writing, marked);
        break;
      case 'status':
        status = event.task.status;
        yield writing.control('status', { status, ended: event.task.ended, task: taskToWire(event.task) });
        break;
      case 'beat':
        yield writing.control('heartbeat', { last_seq: following.scannedTo });
        break;
      case 'end':
        yield writing.control('end', { last_seq: event.lastSeq, status });
        if (!hasId) yield writing.noReturn;
        break;
    }
  }
}

/** Followers at the same place get the same page, so its lines are written once for all of them, in each way that is asked for. */
const linesOfPages = new WeakMap<EntryPage, Map<string, Uint8Array>>();

function lines(page: EntryPage, writing: Writing, marked: boolean): Uint8Array {
  const written = linesOfPages.get(page) ?? new Map<string, Uint8Array>();
  linesOfPages.set(page, written);
  const way = `${writing.contentType} ${marked}`;
  const known = written.get(way);
  if (known) return known;
  const texts = wireEntries(page).map((entry) =>
    writing.line(entry.seq, JSON.stringify(marked ? markedEntry(entry) : entry)),
  );
  const bytes = Buffer.from(texts.join(''));
  written.set(way, bytes);
  return bytes;
}

/** The events of a following, and a beat whenever `everyMs` have passed. */
async function* withBeats(
  following: Following,
  everyMs: number,
): AsyncGenerator<FollowEvent | { readonly type: 'beat' }> {
  const events = following[Symbol.asyncIterator]();
  let next = events.next();
  let beatAtMs = performance.now() + everyMs;
  try {
    while (true) {
      const result = await within(next, beatAtMs - performance.now());
      if (result === undefined) {
        beatAtMs = performance.now() + everyMs;
        yield { type: 'beat' };
      } else if (result.done) return;
      else {
        yield result.value;
        next = events.next();
      }
    }
  } finally {
    following.close();
    // The step under way has nobody to fail to any more.
    next.catch(() => {});
  }
}

/** What the promise gives, or undefined when `delayMs` have passed first. */
async function within<T>(promise: Promise<T>, delayMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, delayMs), undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
