import { Http } from '../../client/http.ts';
import { TrailError } from '../../core/error.ts';
import { DELIVERY_OUTCOMES, type DeliveryOutcome } from '../../core/webhook.ts';
import type {
  WireDelivery,
  WireDeliveryPage,
  WireReceived,
  WireWebhook,
  WireWebhookList,
} from '../../core/wire-webhook.ts';
import { COMMAND } from '../package.ts';
import type { Config } from '../settings.ts';
import { type FoundServer, findServer } from '../target.ts';
import { type Style, safeText, styled, type Terminal } from '../terminal.ts';
import { receivedLine } from '../webhook-words.ts';

export interface WebhookOptions {
  readonly json?: boolean;
}

export interface DeliveriesOptions extends WebhookOptions {
  readonly outcome?: string;
  readonly limit?: string;
}

const PAGE_MAX = 200;

const STYLES: Readonly<Record<DeliveryOutcome, Style>> = {
  accepted: 'green',
  answered: 'green',
  ignored: 'dim',
  refused: 'yellow',
  failed: 'red',
};

export async function list(terminal: Terminal, config: Config, { json }: WebhookOptions): Promise<number> {
  const server = await serverOf(config);
  const { webhooks } = await ask<WireWebhookList>(server, 'GET', 'api/webhooks');
  if (json) return printJson(terminal, webhooks);
  const rows = webhooks.map((webhook) => {
    const { webhook_id: id, provider, url, last_delivery: last } = webhook;
    const came = last === null ? 'nothing came yet' : `${time(last.received_at)} ${last.outcome} ${last.reason ?? ''}`;
    return [id, provider, stateOf(webhook), fullUrl(url, server.base), came];
  });
  return printTable(terminal, ['ID', 'PROVIDER', 'STATE', 'URL', 'LAST DELIVERY'], rows);
}

export async function deliveries(
  terminal: Terminal,
  config: Config,
  id: string,
  options: DeliveriesOptions,
): Promise<number> {
  const query = queryOf(options);
  const page = await ask<WireDeliveryPage>(await serverOf(config), 'GET', `${webhookPath(id)}/deliveries`, query);
  if (options.json) return printJson(terminal, page.deliveries);
  if (page.deliveries.length === 0)
    terminal.tell(`no ${options.outcome ?? ''} delivery of ${id} is kept`.replace('  ', ' '));
  const head = ['N', 'RECEIVED', 'EVENT', 'SENDER', 'OUTCOME', 'WHY'];
  await printTable(terminal, head, page.deliveries.map(cells), STYLED);
  if (page.next_before !== null)
    terminal.tell(`${page.deliveries.length} deliveries; there are older ones, --limit shows more`);
  return 0;
}

export async function replay(
  terminal: Terminal,
  config: Config,
  { id, n, options }: { id: string; n: string; options: WebhookOptions },
): Promise<number> {
  if (!/^[1-9]\d{0,14}$/.test(n)) throw new TrailError('invalid_usage', `expected the number of a delivery, got ${n}`);
  const server = await serverOf(config);
  const told = await ask<WireReceived>(server, 'POST', `${webhookPath(id)}/deliveries/${n}/replay`);
  await terminal.print(options.json ? `${JSON.stringify(told)}\n` : `${receivedLine(told, server.base)}\n`);
  return 0;
}

async function serverOf(config: Config): Promise<FoundServer> {
  const server = await findServer(config);
  if (server) return server;
  throw new TrailError(
    'server_unreachable',
    `no server runs on ${config.dataDir}, and webhooks are a server's affair; start one with: ${COMMAND} serve`,
  );
}

function ask<T>({ address }: FoundServer, method: 'GET' | 'POST', path: string, query = {}): Promise<T> {
  return new Http(address).call<T>(method, path, { query, ...(method === 'POST' && { body: {} }) });
}

function webhookPath(id: string): string {
  return `api/webhooks/${encodeURIComponent(id)}`;
}

function queryOf({ outcome, limit = '50' }: DeliveriesOptions): Record<string, string> {
  const count = Number(limit);
  if (!/^\d+$/.test(limit) || count < 1 || count > PAGE_MAX) {
    throw new TrailError('invalid_usage', `--limit: expected a whole number, 1–${PAGE_MAX}, got ${limit}`);
  }
  const wanted = (outcome ?? '').split(',').filter((part) => part !== '');
  const odd = wanted.find((part) => !(DELIVERY_OUTCOMES as readonly string[]).includes(part));
  if (odd !== undefined) {
    throw new TrailError('invalid_usage', `--outcome: expected ${DELIVERY_OUTCOMES.join(', ')}; got ${odd}`);
  }
  return { limit, ...(wanted.length > 0 && { outcome: wanted.join(',') }) };
}

/** A server that was told no public URL answers a path. */
function fullUrl(url: string, base: string): string {
  return url.startsWith('/') ? `${base.replace(/\/$/, '')}${url}` : url;
}

function stateOf({ enabled, configured, secret_set: isSet, signature }: WireWebhook): string {
  if (!enabled) return 'disabled';
  if (!configured) return 'no secret';
  return isSet && signature?.type !== 'none' ? 'on' : 'unsigned';
}

function cells(delivery: WireDelivery): readonly string[] {
  const { n, received_at: receivedAt, event_type: event, sender, outcome, reason, detail, task_id: taskId } = delivery;
  const why = taskId ?? [reason ?? '', detail ?? ''].filter((part) => part !== '').join(': ');
  return [String(n), time(receivedAt), event ?? '', sender ?? '', outcome, why];
}

function time(iso: string): string {
  return iso.replace(/\.\d{3}Z$/, 'Z');
}

/** The column that bears an outcome's colour. */
const STYLED = 4;

async function printTable(
  terminal: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  styledColumn?: number,
): Promise<number> {
  const safe = rows.map((row) => row.map((cell) => safeText(cell.replace(/\s+/g, ' ').trim(), { colour: false })));
  const widths = head.map((name, column) => Math.max(name.length, ...safe.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], index: number): string =>
    row
      .map((cell, column) => {
        const style = index < 0 ? 'bold' : column === styledColumn ? STYLES[cell as DeliveryOutcome] : undefined;
        const last = column === row.length - 1;
        return styled(last ? cell : cell.padEnd(widths[column] ?? 0), style, terminal.colour);
      })
      .join('  ');
  await terminal.print(`${[line(head, -1), ...safe.map(line)].join('\n')}\n`);
  return 0;
}

async function printJson(terminal: Terminal, list: readonly object[]): Promise<number> {
  for (const one of list) await terminal.print(`${JSON.stringify(one)}\n`);
  return 0;
}
