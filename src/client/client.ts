import type { Analytics, AnalyticsAsked } from '../core/analytics.ts';
import {
  type CompareAsked,
  type Comparison,
  compareParams,
  comparisonOfWire,
  type PatternsAsked,
  patternsOfWire,
  type WireComparison,
  type WirePatterns,
} from '../core/comparison.ts';
import type { EntryInput, LogEntry } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { type AskedFilter, filterParams } from '../core/filter.ts';
import {
  foundOfWire,
  type SearchOptions,
  type SearchResult,
  searchParams,
  type WireSearchPage,
} from '../core/found.ts';
import { checkTaskId } from '../core/id.ts';
import type { Patterns } from '../core/patterns.ts';
import type {
  AskedTasks,
  Histogram,
  LogStats,
  Pruned,
  PruneRequest,
  Receipt,
  Storage,
  TaskPage,
} from '../core/query.ts';
import type { Status } from '../core/status.ts';
import type { Task, TaskChange, TaskDraft } from '../core/task.ts';
import type { Ending, FollowOptions, LogPage, LogQuery, RunningTask, Trail } from '../core/trail.ts';
import {
  entryOfWire,
  taskOfWire,
  taskPageOfWire,
  toCamel,
  toSnake,
  type Wired,
  type WireHistogram,
  type WireLogPage,
  type WirePruned,
  type WireReceipt,
  type WireStats,
  type WireTask,
  type WireTaskPage,
} from '../core/wire.ts';
import { analyticsOfWire, type WireAnalytics } from '../core/wire-analytics.ts';
import type { WireAuditPage } from '../core/wire-audit.ts';
import type { AskedAudit } from '../query/audit.ts';
import { follow } from './follow.ts';
import { type Call, Http, type ServerAddress } from './http.ts';
import { ServerTask } from './running-task.ts';

export interface ConnectOptions extends ServerAddress {
  readonly WebSocket?: typeof globalThis.WebSocket | undefined;
}

/** How a status is reached over HTTP, where a caller may set it. */
const ACTIONS: Readonly<Partial<Record<Status, string>>> = {
  approved: 'approve',
  rejected: 'reject',
  paused: 'pause',
  executing: 'resume',
  cancelled: 'cancel',
  completed: 'complete',
  failed: 'fail',
};

/**
 * A trail on a server: the same interface as the embedded one.
 * @throws `server_unreachable` when nothing answers there
 */
export async function connectTrail(options: ConnectOptions): Promise<Trail> {
  const trail = new ServerTrail(options);
  await trail.check();
  return trail;
}

/** The server as a trail, not asked yet whether it is there. */
export class ServerTrail implements Trail {
  readonly #http: Http;
  readonly #WebSocket: typeof globalThis.WebSocket;
  readonly #running = new Set<ServerTask>();
  readonly #closing = new AbortController();

  constructor(options: ConnectOptions) {
    this.#http = new Http(options);
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
  }

  /** Resolves when the server answers, be it that it is unwell. */
  async check(timeoutMs?: number): Promise<void> {
    await this.#http.check(timeoutMs);
  }

  async task(draft: TaskDraft = {}): Promise<RunningTask> {
    const { taskId } = await this.create(draft);
    const ended = (task: Task): Task => {
      this.#running.delete(running);
      return task;
    };
    const running = new ServerTask(taskId, {
      append: (body, key) => this.appendBody(taskId, body, { key }),
      heartbeat: () => this.heartbeat(taskId),
      complete: async (ending) => ended(await this.complete(taskId, ending)),
      fail: async (error, ending) => ended(await this.fail(taskId, error, ending)),
    });
    this.#running.add(running);
    return running;
  }

  async create(draft: TaskDraft): Promise<Task> {
    const { metrics, input, ...rest } = draft;
    return this.#task('POST', 'api/tasks', {
      ...toSnake(rest),
      ...(metrics && { metrics: toSnake(metrics) }),
      ...(input && { input: toSnake(input) }),
    });
  }

  /** A change of status goes its own way on the wire, after the other fields. */
  async change(taskId: string, change: TaskChange): Promise<Task> {
    const { status, result, error, exitCode, metrics, ...fields } = change;
    if (status === undefined) return this.#task('PATCH', taskPath(taskId), toSnake(change));
    const action = ACTIONS[status];
    if (action === undefined) {
      throw new TrailError('invalid_status', `status: expected ${Object.keys(ACTIONS).join(', ')}, got ${status}`);
    }
    if (Object.keys(fields).length > 0) await this.#task('PATCH', taskPath(taskId), toSnake(fields));
    const ending = endingToWire({ ...(result !== undefined && { result }), exitCode, metrics });
    return this.#task('POST', taskPath(taskId, action), { ...ending, ...(error != null && { error }) });
  }

  async delete(taskId: string): Promise<void> {
    await this.#http.call('DELETE', taskPath(taskId));
  }

  async input(taskId: string, message: string): Promise<Task> {
    return this.#task('POST', taskPath(taskId, 'input'), { message });
  }

  async complete(taskId: string, ending: Ending = {}): Promise<Task> {
    return this.#task('POST', taskPath(taskId, 'complete'), endingToWire(ending));
  }

  async fail(taskId: string, error: string, ending: Ending = {}): Promise<Task> {
    return this.#task('POST', taskPath(taskId, 'fail'), { ...endingToWire(ending), error });
  }

  async heartbeat(taskId: string): Promise<void> {
    await this.#http.call('POST', taskPath(taskId, 'heartbeat'), { body: {} });
  }

  async partial(taskId: string, stream: 'stdout' | 'stderr', text: string): Promise<void> {
    await this.#http.call('POST', taskPath(taskId, 'partial'), { body: { stream, text } });
  }

  async tasks(query: AskedTasks = {}): Promise<TaskPage> {
    const page = await this.#get<WireTaskPage>('api/tasks', textParams(toSnake(query)));
    return taskPageOfWire(page);
  }

  async get(taskId: string): Promise<Task> {
    return taskOfWire(await this.#get<WireTask>(taskPath(taskId)));
  }

  async logs(taskId: string, query: LogQuery = {}): Promise<LogPage> {
    const { offset, limit, after, before, order, count } = query;
    const window = textParams({ offset, limit, after, before, order, count });
    const page = await this.#get<WireLogPage>(taskPath(taskId, 'logs'), { ...filterParams(query), ...window });
    return { ...toCamel<LogPage>(page), logs: page.logs.map(entryOfWire) };
  }

  async stats(taskId: string): Promise<LogStats> {
    return toCamel(await this.#get<WireStats>(taskPath(taskId, 'logs/stats')));
  }

  async analytics(asked: AnalyticsAsked = {}): Promise<Analytics> {
    return analyticsOfWire(await this.#get<WireAnalytics>('api/analytics', textParams(toSnake(asked))));
  }

  async search({ signal, ...options }: SearchOptions = {}): Promise<SearchResult> {
    const call = { query: searchParams(options), signal };
    const page = await this.#http.call<WireSearchPage>('GET', 'api/logs/search', call);
    const { next_cursor: nextCursor, scanned_from: scannedFrom, complete } = page;
    return { logs: page.logs.map(foundOfWire), nextCursor, scannedFrom, complete };
  }

  async patterns({ signal, ...asked }: PatternsAsked = {}): Promise<Patterns> {
    return patternsOfWire(
      await this.#http.call<WirePatterns>('GET', 'api/logs/patterns', { query: searchParams(asked), signal }),
    );
  }

  async compare(taskId: string, { signal, ...asked }: CompareAsked = {}): Promise<Comparison> {
    const call = { query: compareParams(asked), signal };
    return comparisonOfWire(await this.#http.call<WireComparison>('GET', taskPath(taskId, 'logs/compare'), call));
  }

  async sources(taskId: string): Promise<readonly string[]> {
    return this.#get(taskPath(taskId, 'logs/sources'));
  }

  async histogram(taskId: string, query: AskedFilter & { buckets?: number } = {}): Promise<Histogram> {
    const params = { ...filterParams(query), ...textParams({ buckets: query.buckets }) };
    const wire = await this.#get<WireHistogram>(taskPath(taskId, 'logs/histogram'), params);
    return { ...toCamel<Histogram>(wire), buckets: wire.buckets.map((bucket) => toCamel(bucket)) };
  }

  async *follow(taskId: string, options: FollowOptions = {}): AsyncGenerator<LogEntry> {
    checkTaskId(taskId);
    const ended = this.#closing.signal;
    const signal = options.signal ? AbortSignal.any([options.signal, ended]) : ended;
    yield* follow({ http: this.#http, WebSocket: this.#WebSocket, taskId, options: { ...options, signal } });
  }

  async append(
    taskId: string,
    entries: EntryInput | readonly EntryInput[],
    options: { key?: string } = {},
  ): Promise<Receipt> {
    const list = Array.isArray(entries) ? (entries as readonly EntryInput[]) : [entries as EntryInput];
    const body = JSON.stringify(list);
    return this.#receipt(taskId, { body, type: 'application/json', key: options.key });
  }

  /** Entries that are NDJSON already. Resolves after the commit. */
  async appendBody(taskId: string, body: string, options: { key?: string; timeoutMs?: number } = {}): Promise<Receipt> {
    return this.#receipt(taskId, { body, type: 'application/x-ndjson', ...options });
  }

  /** What is stored and how much room it takes. */
  async storage(): Promise<Storage> {
    return toCamel(await this.#get<Wired<Storage>>('api/storage'));
  }

  /** Who changed what, newest first; for an admin. */
  audit({ limit, ...asked }: AskedAudit): Promise<WireAuditPage> {
    const query = { ...asked, ...(limit !== undefined && { limit: String(limit) }) };
    return this.#http.call('GET', 'api/audit', { query });
  }

  /** One step of deleting what is too old or too much, or of saying what would go. */
  async prune(request: PruneRequest): Promise<Pruned> {
    const answer = await this.#http.call<WirePruned>('POST', 'api/storage/prune', { body: toSnake(request) });
    return { tasks: answer.tasks.map((task) => toCamel(task)), nextCursor: answer.next_cursor };
  }

  /** Deliver what waits, end what follows. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#running].map((running) => running.close()));
    this.#running.clear();
  }

  async #receipt(taskId: string, call: Call): Promise<Receipt> {
    return toCamel(await this.#http.call<WireReceipt>('POST', taskPath(taskId, 'logs'), call));
  }

  async #task(method: string, path: string, body: object): Promise<Task> {
    return taskOfWire(await this.#http.call<WireTask>(method, path, { body }));
  }

  #get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    return this.#http.call<T>('GET', path, { query });
  }
}

function taskPath(taskId: string, rest?: string): string {
  const path = `api/tasks/${encodeURIComponent(checkTaskId(taskId))}`;
  return rest === undefined ? path : `${path}/${rest}`;
}

function endingToWire({ metrics, ...ending }: { [K in keyof Ending]: Ending[K] | undefined }): object {
  return { ...toSnake(ending), ...(metrics && { metrics: toSnake(metrics) }) };
}

/** Query parameters: lists by comma, what is not given left out. */
function textParams(values: object): Record<string, string> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
