import type { WireComparison, WirePatterns } from '../../core/comparison.ts';
import type { JsonObject } from '../../core/entry.ts';
import { filterParams, type LogFilter } from '../../core/filter.ts';
import { searchParams, type WireLineFacets, type WireSearchGroups, type WireSearchPage } from '../../core/found.ts';
import type { Logging } from '../../core/logging.ts';
import type { WireOutline } from '../../core/outline.ts';
import type { PluginInfo } from '../../core/plugin.ts';
import type { TaskFacets } from '../../core/query.ts';
import type { Wired, WireHistogram, WireLogPage, WireStats, WireTask, WireTaskPage } from '../../core/wire.ts';
import type { WireAlert, WireAlertList, WireAlertPreview, WireAlertTest } from '../../core/wire-alert.ts';
import type { WireAnalytics } from '../../core/wire-analytics.ts';
import type {
  WireDeliveryDetails,
  WireDeliveryPage,
  WireReceived,
  WireTrial,
  WireWebhook,
  WireWebhookList,
} from '../../core/wire-webhook.ts';
import { Problem, problemOf } from './problem.ts';

export { asProblem, Problem } from './problem.ts';

/** What is told of an agent: what it is called, and what its output is read as. */
export interface AgentInfo {
  readonly id: string;
  readonly name: string;
}

export interface LinesQuery {
  readonly filter: LogFilter;
  readonly offset?: number;
  readonly limit: number;
  readonly after?: number;
  readonly before?: number;
  readonly order?: 'asc' | 'desc';
  readonly count?: 'auto' | 'exact' | 'none';
}

/** Who asks: that nobody does is an answer here. */
export const SESSION = 'api/session';

/** The few routes that the page uses. `base` is the path prefix with a slash at both ends. */
export class Api {
  readonly #base: string;
  /** Asked when the server does not know who asks; when it answers true, the request is sent again. */
  onUnauthorized: () => Promise<boolean> = async () => false;

  constructor(base: string) {
    this.#base = base;
  }

  /** For what is asked in one place only. A `body` goes as JSON. */
  ask<T>(method: string, path: string, body?: JsonObject): Promise<T> {
    return body ? this.#send<T>(method, path, body) : this.#call<T>(path, { method });
  }

  tasks(params: URLSearchParams, signal?: AbortSignal): Promise<WireTaskPage> {
    return this.#get<WireTaskPage>('api/tasks', params, signal);
  }

  facets(params: URLSearchParams, signal?: AbortSignal): Promise<Wired<TaskFacets>> {
    return this.#get<Wired<TaskFacets>>('api/tasks/facets', params, signal);
  }

  task(taskId: string, signal?: AbortSignal): Promise<WireTask> {
    return this.#get<WireTask>(taskRoute(taskId), undefined, signal);
  }

  stats(taskId: string, signal?: AbortSignal): Promise<WireStats> {
    return this.#get<WireStats>(`${taskRoute(taskId)}/logs/stats`, undefined, signal);
  }

  lines(taskId: string, query: LinesQuery, signal?: AbortSignal): Promise<WireLogPage> {
    const { filter, ...window } = query;
    const params = new URLSearchParams(filterParams(filter));
    for (const [name, value] of Object.entries(window)) if (value !== undefined) params.set(name, String(value));
    return this.#get<WireLogPage>(`${taskRoute(taskId)}/logs`, params, signal);
  }

  /** Lines of one task in which something stands, the newest first. */
  hits(
    taskId: string,
    filter: LogFilter,
    page: { readonly limit: number; readonly cursor?: string },
    signal: AbortSignal,
  ): Promise<WireSearchPage> {
    const params = new URLSearchParams({ ...searchParams({ tasks: [taskId], ...page }), ...filterParams(filter) });
    return this.#get<WireSearchPage>('api/logs/search', params, signal);
  }

  /** How many lines of one task there are of each kind. */
  taskFacets(taskId: string, filter: LogFilter, signal: AbortSignal): Promise<WireLineFacets> {
    return this.#get<WireLineFacets>(
      `${taskRoute(taskId)}/logs/facets`,
      new URLSearchParams(filterParams(filter)),
      signal,
    );
  }

  histogram(
    taskId: string,
    { filter, buckets }: { readonly filter: LogFilter; readonly buckets: number },
    signal: AbortSignal,
  ): Promise<WireHistogram> {
    const params = new URLSearchParams({ ...filterParams(filter), buckets: String(buckets) });
    return this.#get<WireHistogram>(`${taskRoute(taskId)}/logs/histogram`, params, signal);
  }

  /** The parts of a task behind a line. */
  outline(taskId: string, after: number, signal: AbortSignal): Promise<WireOutline> {
    const params = new URLSearchParams({ after: String(after) });
    return this.#get<WireOutline>(`${taskRoute(taskId)}/outline`, params, signal);
  }

  analytics(params: URLSearchParams, signal: AbortSignal): Promise<WireAnalytics> {
    return this.#get<WireAnalytics>('api/analytics', params, signal);
  }

  patternsOfAll(params: URLSearchParams, signal: AbortSignal): Promise<WirePatterns> {
    return this.#get<WirePatterns>('api/logs/patterns', params, signal);
  }

  patterns(taskId: string, signal: AbortSignal): Promise<WirePatterns> {
    return this.#get<WirePatterns>(`${taskRoute(taskId)}/logs/patterns`, undefined, signal);
  }

  /** What is new since the last good run. */
  compare(taskId: string, signal: AbortSignal): Promise<WireComparison> {
    return this.#get<WireComparison>(`${taskRoute(taskId)}/logs/compare`, undefined, signal);
  }

  /** Lines of all tasks, by task; `params` as `searchParams` makes them. */
  search(params: URLSearchParams, signal: AbortSignal): Promise<WireSearchGroups> {
    return this.#get<WireSearchGroups>('api/logs/search', params, signal);
  }

  searchFacets(params: URLSearchParams, signal: AbortSignal): Promise<WireLineFacets> {
    return this.#get<WireLineFacets>('api/logs/search/facets', params, signal);
  }

  searchHistogram(params: URLSearchParams, signal: AbortSignal): Promise<WireHistogram> {
    return this.#get<WireHistogram>('api/logs/search/histogram', params, signal);
  }

  async plugins(signal?: AbortSignal): Promise<readonly PluginInfo[]> {
    return (await this.#get<{ plugins: readonly PluginInfo[] }>('api/plugins', undefined, signal)).plugins;
  }

  async agents(signal?: AbortSignal): Promise<readonly AgentInfo[]> {
    return (await this.#get<{ agents: readonly AgentInfo[] }>('api/agents', undefined, signal)).agents;
  }

  /** Do something to a task, and get it as it is then; `rerun` answers the new task. */
  act(taskId: string, action: string, body: JsonObject = {}): Promise<WireTask> {
    return this.#send<WireTask>('POST', `${taskRoute(taskId)}/${action}`, body);
  }

  logging(signal?: AbortSignal): Promise<Wired<Logging>> {
    return this.#get<Wired<Logging>>('api/settings/logging', undefined, signal);
  }

  changeLogging(change: JsonObject): Promise<Wired<Logging>> {
    return this.#send<Wired<Logging>>('PATCH', 'api/settings/logging', change);
  }

  webhooks(signal?: AbortSignal): Promise<WireWebhookList> {
    return this.#get<WireWebhookList>('api/webhooks', undefined, signal);
  }

  /** Make a webhook; the answer holds its secret, this once. */
  makeWebhook(definition: JsonObject): Promise<WireWebhook & { readonly secret: string | null }> {
    return this.#send('POST', 'api/webhooks', definition);
  }

  changeWebhook(webhookId: string, definition: JsonObject): Promise<WireWebhook> {
    return this.#send<WireWebhook>('PUT', webhookRoute(webhookId), definition);
  }

  switchWebhook(webhookId: string, enabled: boolean): Promise<WireWebhook> {
    return this.#send<WireWebhook>('POST', webhookRoute(webhookId, enabled ? 'enable' : 'disable'), {});
  }

  async deleteWebhook(webhookId: string): Promise<true> {
    await this.#call(webhookRoute(webhookId), { method: 'DELETE' });
    return true;
  }

  /** What a delivery would start; nothing is stored or started. */
  tryWebhook(webhookId: string, trial: JsonObject): Promise<WireTrial> {
    return this.#send<WireTrial>('POST', webhookRoute(webhookId, 'test'), trial);
  }

  alerts(signal?: AbortSignal): Promise<WireAlertList> {
    return this.#get<WireAlertList>('api/alerts', undefined, signal);
  }

  makeAlert(rule: JsonObject): Promise<WireAlert> {
    return this.#send<WireAlert>('POST', 'api/alerts', rule);
  }

  changeAlert(alertId: string, rule: JsonObject): Promise<WireAlert> {
    return this.#send<WireAlert>('PUT', alertRoute(alertId), rule);
  }

  async deleteAlert(alertId: string): Promise<true> {
    await this.#call(alertRoute(alertId), { method: 'DELETE' });
    return true;
  }

  /** How often a rule would have fired; nothing is stored. */
  previewAlert(request: JsonObject): Promise<WireAlertPreview> {
    return this.#send<WireAlertPreview>('POST', 'api/alerts/preview', request);
  }

  testAlert(alertId: string): Promise<WireAlertTest> {
    return this.#send<WireAlertTest>('POST', `${alertRoute(alertId)}/test`, {});
  }

  deliveries(webhookId: string, params: URLSearchParams, signal?: AbortSignal): Promise<WireDeliveryPage> {
    return this.#get<WireDeliveryPage>(webhookRoute(webhookId, 'deliveries'), params, signal);
  }

  delivery(webhookId: string, n: number): Promise<WireDeliveryDetails> {
    return this.#get<WireDeliveryDetails>(webhookRoute(webhookId, `deliveries/${n}`));
  }

  replay(webhookId: string, n: number): Promise<WireReceived> {
    return this.#send<WireReceived>('POST', webhookRoute(webhookId, `deliveries/${n}/replay`), {});
  }

  /** The address of a WebSocket route. */
  socketUrl(path: string, params: URLSearchParams): string {
    const url = new URL(this.#base + path, window.location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.search = params.toString();
    return url.href;
  }

  #get<T>(path: string, params?: URLSearchParams, signal?: AbortSignal): Promise<T> {
    return this.#call<T>(`${path}${params?.size ? `?${params}` : ''}`, signal ? { signal } : {});
  }

  #send<T>(method: string, path: string, body: JsonObject): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#call<T>(path, { method, headers, body: JSON.stringify(body) });
  }

  async #call<T>(path: string, init: RequestInit): Promise<T> {
    const response = await this.open(path, init);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** Ask for what is not to be read as one JSON. Throws what the server refuses. */
  async open(path: string, init: RequestInit, isAgain = false): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}${path}`, {
        ...init,
        headers: { accept: 'application/json', ...init.headers },
      });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      const message = 'The server does not answer. It may be stopped, or the network is down.';
      throw new Problem({ status: 0, code: 'server_unreachable', message }, { cause: error });
    }
    const mayAskAgain = response.status === 401 && !isAgain && path.split('?')[0] !== SESSION;
    if (mayAskAgain && (await this.onUnauthorized())) return this.open(path, init, true);
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

export function taskRoute(taskId: string): string {
  return `api/tasks/${encodeURIComponent(taskId)}`;
}

function alertRoute(alertId: string): string {
  return `api/alerts/${encodeURIComponent(alertId)}`;
}

function webhookRoute(webhookId: string, rest?: string): string {
  const path = `api/webhooks/${encodeURIComponent(webhookId)}`;
  return rest === undefined ? path : `${path}/${rest}`;
}
