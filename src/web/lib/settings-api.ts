import type { Fault } from '../../core/error.ts';
import type { WireAuditPage } from '../../core/wire-audit.ts';
import type { Api } from './api.ts';
import type { RetentionRules } from './retention-form.ts';

/** What only the settings ask. */

export interface WireHealth {
  readonly status: 'healthy' | 'unhealthy';
  readonly store: string;
  readonly redis: string | null;
  readonly uptime_seconds: number;
  readonly version: string;
}

export interface WireStorage {
  readonly bytes: number;
  readonly file_bytes: number;
  readonly deleting_bytes: number;
  readonly free_bytes: number;
  readonly tasks: number;
  readonly entries: number;
  readonly lost: number;
  readonly oldest_task_at: string | null;
  /** 0: none. */
  readonly retention_days: number;
  readonly max_bytes: number;
  readonly compress_after_days: number;
  readonly disk_bytes: number | null;
  readonly disk_free_bytes: number | null;
  readonly wal_bytes: number | null;
  readonly spool_batches: number | null;
}

/** Figures of parts that are not switched on are null. */
export interface WireMetrics {
  readonly pending: number | null;
  readonly dead: number | null;
  readonly lost_total: number;
  readonly directory_failures_total: number | null;
  readonly redactions_total: Readonly<Record<string, number>>;
}

export interface WirePrunable {
  readonly task_id: string;
  readonly title: string | null;
  readonly ended_at: string;
  readonly lines: number;
  readonly bytes: number;
  readonly rule: 'retention' | 'disk limit';
}

export interface WirePreview {
  readonly tasks: number;
  readonly lines: number;
  readonly bytes: number;
  readonly by_rule: Readonly<Record<WirePrunable['rule'], number>>;
  readonly oldest: readonly WirePrunable[];
  readonly complete: boolean;
  readonly older_than_days: number | null;
  readonly max_bytes: number | null;
}

export interface WireRule {
  readonly name: string;
  readonly pattern: string;
  readonly kind?: string;
}

export interface WireRedaction {
  readonly kinds: readonly string[];
  readonly rules: readonly WireRule[];
  readonly counts: Readonly<Record<string, number>>;
}

export interface WireMasked {
  readonly masked: string;
  readonly matches: readonly {
    readonly kind: string;
    readonly by: 'shape' | 'value' | 'rule';
    readonly rule: string | null;
    readonly start: number;
    readonly end: number;
  }[];
}

export interface WireLimit {
  readonly limit: string;
  readonly value: string;
  readonly shows: string;
}

export interface WireAbout {
  readonly version: string;
  readonly node: string;
  readonly sqlite: string | null;
  readonly platform: string;
  readonly started_at: string;
}

export function storageOf(api: Api): Promise<WireStorage> {
  return api.ask('GET', 'api/storage');
}

export function metricsOf(api: Api): Promise<WireMetrics> {
  return api.ask('GET', 'metrics');
}

export function aboutOf(api: Api): Promise<WireAbout> {
  return api.ask('GET', 'api/about');
}

export function redactionOf(api: Api): Promise<WireRedaction> {
  return api.ask('GET', 'api/redact');
}

/** What would be masked in a text; the server keeps nothing of it. */
export function tryRedaction(api: Api, text: string, rules: readonly WireRule[]): Promise<WireMasked> {
  return api.ask('POST', 'api/redact/test', { text, rules: rules.map((rule) => ({ ...rule })) });
}

export function previewOf(api: Api, rules: RetentionRules): Promise<WirePreview> {
  const params = new URLSearchParams(Object.entries(rules).map(([name, value]) => [name, String(value)]));
  return api.ask('GET', `api/storage/retention${params.size > 0 ? `?${params}` : ''}`);
}

/** One step of deleting; `next_cursor` is null when nothing more is to go. */
export function pruneStep(
  api: Api,
  rules: RetentionRules,
  cursor: string | null,
): Promise<{ readonly tasks: readonly WirePrunable[]; readonly next_cursor: string | null }> {
  return api.ask('POST', 'api/storage/prune', { ...rules, ...(cursor !== null && { cursor }) });
}

export async function limitsOf(api: Api): Promise<readonly WireLimit[]> {
  return (await api.ask<{ 'x-limits'?: readonly WireLimit[] }>('GET', 'openapi.json'))['x-limits'] ?? [];
}

export function auditOf(api: Api, params: URLSearchParams): Promise<WireAuditPage> {
  return api.ask('GET', `api/audit${params.size > 0 ? `?${params}` : ''}`);
}

/** What the server says of itself, which it does with 503 too; null when it does not answer. */
export async function healthOf(base: string, signal: AbortSignal): Promise<WireHealth | null> {
  try {
    const response = await fetch(`${base}health`, { signal, headers: { accept: 'application/json' } });
    return response.status === 200 || response.status === 503 ? ((await response.json()) as WireHealth) : null;
  } catch {
    return null;
  }
}

/** What is wrong with one field, in the server's words. */
export function faultAt(faults: readonly Fault[] | undefined, path: string): string | undefined {
  return faults?.find((fault) => fault.path === path)?.detail;
}
