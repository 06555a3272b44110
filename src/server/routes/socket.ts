import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ERRORS, TrailError } from '../../core/error.ts';
import { FILTER_KEYS } from '../../core/filter.ts';
import { checkTaskId } from '../../core/id.ts';
import type { FollowEvent, Following } from '../../core/live.ts';
import type { EntryPage } from '../../core/page.ts';
import type { StoreReader } from '../../core/ports.ts';
import { taskToWire, type WireTask } from '../../core/wire.ts';
import { readFilter } from '../../query/filter.ts';
import { checkRole } from '../auth/caller.ts';
import type { Hold } from '../auth/credential-book.ts';
import type { Context } from '../context.ts';
import { hearFrames } from '../limits/frames.ts';
import { type Peer, Peers } from '../peers.ts';
import { problemOf } from '../problem.ts';
import { FollowQuery, LogFilterQuery } from '../schemas.ts';
import { queryReader } from '../validation.ts';

const readFollowQuery = queryReader(FollowQuery);
const readFilterQuery = queryReader(LogFilterQuery);
/** Tasks that one step of `/ws/tasks` reads and sends. */
const STEP_TASKS = 100;

/** WebSockets: one task's lines, and all tasks' changes. A fault is told in an `error` frame before the close. */
export function socketRoutes(app: FastifyInstance, context: Context): void {
  const peers = new Peers(context.heartbeatMs);
  context.closing.addEventListener('abort', () => peers.close(), { once: true });
  const route = (url: string, serve: (peer: Peer, request: FastifyRequest, signal: AbortSignal) => Promise<void>) => {
    app.route({
      method: 'GET',
      url,
      schema: { hide: true },
      handler: async () => {
        throw new TrailError(
          'invalid_request',
          'expected a WebSocket handshake (Upgrade: websocket), got a plain request',
        );
      },
      wsHandler: async (socket, request) => {
        const gone = new AbortController();
        socket.once('close', () => gone.abort());
        const peer = peers.add(socket);
        const { caller } = request;
        try {
          checkRole(caller, 'reader');
          endWith(context.access.hold(caller), peer, request);
          context.streams.enter(request, socket);
          await serve(peer, request, gone.signal);
        } catch (error) {
          refuse(peer, error, request);
        }
      },
    });
  };
  for (const url of ['/ws/logs/:task_id', '/api/tasks/:task_id/logs/ws', '/tasks/:task_id/logs/ws']) {
    route(url, (peer, request, signal) => serveLines(context, peer, request, signal));
  }
  route('/ws/tasks', (peer, request, signal) => serveTasks(context, peer, request, signal));
}

/** What opened a socket holds for as long as it is open. */
function endWith({ signal, release }: Hold, peer: Peer, request: FastifyRequest): void {
  const end = (): void =>
    refuse(peer, new TrailError('unauthorized', 'what opened this has expired or was revoked'), request);
  signal.addEventListener('abort', end, { once: true });
  peer.socket.once('close', () => {
    signal.removeEventListener('abort', end);
    release();
  });
}

async function serveLines({ live }: Context, peer: Peer, request: FastifyRequest, signal: AbortSignal): Promise<void> {
  const taskId = checkTaskId((request.params as { task_id: string }).task_id);
  const query = readFollowQuery(request.query);
  const { after, tail } = query;
  const following = live.follow(taskId, {
    filter: readFilter(query),
    signal,
    ...(after !== undefined && { after }),
    ...(tail !== undefined && { tail }),
  });
  hearFrames(
    peer.socket,
    (text) => hear(text, peer, following),
    (error) => {
      following.close();
      refuse(peer, error, request);
    },
  );
  for await (const event of following) if (!(await peer.send(frameOf(event)))) return;
  peer.socket.close(1000);
}

const FRAME_START = Buffer.from('{"type":"entries","entries":');
const FRAME_END = Buffer.from('}');
/** Viewers at the same place get the same page, so its frame is made once for all of them. */
const framesOfPages = new WeakMap<EntryPage, Buffer>();

function entriesFrame(page: EntryPage): Buffer {
  const known = framesOfPages.get(page);
  if (known) return known;
  const frame = Buffer.concat([FRAME_START, page.bytes, FRAME_END]);
  framesOfPages.set(page, frame);
  return frame;
}

function frameOf(event: FollowEvent): string | Buffer {
  switch (event.type) {
    case 'entries':
      return entriesFrame(event.page);
    case 'partial':
      return JSON.stringify({ type: 'partial', stream: event.stream, text: event.text });
    case 'status':
      return JSON.stringify({ type: 'status', task: taskToWire(event.task) });
    case 'caught_up':
      return JSON.stringify({ type: 'caught_up', last_seq: event.lastSeq });
    case 'end':
      return JSON.stringify({ type: 'end' });
  }
}

/** A frame from the client: `ping`, or `filter` with the filters from here on. */
function hear(text: string, peer: Peer, following: Following): void {
  const frame = parseFrame(text);
  const { type, ...raw } = frame;
  if (type === 'ping') peer.answer('{"type":"pong"}');
  else if (type === 'filter') following.setFilter(readFilter(readFilterQuery(filterTexts(raw))));
  else throw new TrailError('invalid_request', 'expected a frame {"type":"filter"} or {"type":"ping"}');
}

function parseFrame(text: string): Record<string, unknown> {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch (error) {
    throw new TrailError('invalid_json', 'expected a frame of JSON', { cause: error });
  }
  if (typeof frame === 'object' && frame !== null && !Array.isArray(frame)) return frame as Record<string, unknown>;
  throw new TrailError('invalid_request', 'expected a frame that is a JSON object');
}

/** JSON says `null` for a filter that is taken back, and has its own true, false and numbers. */
function filterTexts(raw: Record<string, unknown>): Record<string, unknown> {
  const text = (value: unknown) => (typeof value === 'boolean' || typeof value === 'number' ? String(value) : value);
  return Object.fromEntries(
    Object.entries(raw)
      .filter(([name, value]) => value !== null || !(FILTER_KEYS as readonly string[]).includes(name))
      // The key `type` names the frame, so a filter of entry types comes as `types`.
      .map(([name, value]) => [name === 'types' ? 'type' : name, Array.isArray(value) ? value.map(text) : text(value)]),
  );
}

function refuse({ socket }: Peer, error: unknown, request: FastifyRequest): void {
  const problem = problemOf(error, request.id);
  if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, 'socket failed');
  socket.send(JSON.stringify({ type: 'error', error: problem }), () => {});
  socket.close(closeCode(ERRORS[problem.code].status), problem.code);
}

function closeCode(status: number): number {
  if (status === 401 || status === 403) return 4401;
  if (status === 404 || status === 410) return 4004;
  // Try again later: https://www.iana.org/assignments/websocket/websocket.xhtml
  if (status === 429) return 1013;
  return status < 500 ? 4400 : 1011;
}

/** Changed tasks as they are now: `tasks` and `deleted`; `refresh` when too much changed to name it. */
async function serveTasks(
  { live, store }: Context,
  peer: Peer,
  request: FastifyRequest,
  signal: AbortSignal,
): Promise<void> {
  hearFrames(
    peer.socket,
    (text) => {
      if (parseFrame(text).type !== 'ping') throw new TrailError('invalid_request', 'expected a frame {"type":"ping"}');
      peer.answer('{"type":"pong"}');
    },
    (error) => refuse(peer, error, request),
  );
  for await (const ids of live.changes(signal)) {
    if (ids.length === 0 && !(await peer.send('{"type":"refresh"}'))) return;
    for (let start = 0; start < ids.length; start += STEP_TASKS) {
      const { tasks, deleted } = await readTasks(store, ids.slice(start, start + STEP_TASKS));
      if (tasks.length > 0 && !(await peer.send(JSON.stringify({ type: 'tasks', tasks })))) return;
      if (deleted.length > 0 && !(await peer.send(JSON.stringify({ type: 'deleted', task_ids: deleted })))) return;
    }
  }
}

async function readTasks(
  store: StoreReader,
  ids: readonly string[],
): Promise<{ tasks: readonly WireTask[]; deleted: readonly string[] }> {
  const deleted: string[] = [];
  const found = await Promise.all(
    ids.map(async (taskId) => {
      try {
        return taskToWire(await store.task(taskId));
      } catch (error) {
        if (!(error instanceof TrailError) || ERRORS[error.code].status >= 500) throw error;
        deleted.push(taskId);
        return undefined;
      }
    }),
  );
  return { tasks: found.filter((task) => task !== undefined), deleted };
}
