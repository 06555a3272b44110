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
import type { Config } from '../settings.ts';
import { type Coloured, printJson, printTable } from '../table.ts';
import { type FoundServer, serverOf } from '../target.ts';
import { jsonText, type Style, type Terminal } from '../terminal.ts';
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

/** The column that bears an outcome's colour. */
const COLOURED: Coloured = { column: 4, style: (cell) => STYLES[cell as DeliveryOutcome] };

export async function list(terminal: Terminal, config: Config, { json }: WebhookOptions): Promise<number> {
  const server = await serverOf(config, 'webhooks');
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
  const page = await ask<WireDeliveryPage>(
    await serverOf(config, 'webhooks'),
    'GET',
    `${webhookPath(id)}/deliveries`,
    query,
  );
  if (options.json) return printJson(terminal, page.deliveries);
  if (page.deliveries.length === 0)
    terminal.tell(`no ${options.outcome ?? ''} delivery of ${id} is kept`.replace('  ', ' '));
  const head = ['N', 'RECEIVED', 'EVENT', 'SENDER', 'OUTCOME', 'WHY'];
  await printTable(terminal, head, page.deliveries.map(cells), COLOURED);
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
  const server = await serverOf(config, 'webhooks');
  const told = await ask<WireReceived>(server, 'POST', `${webhookPath(id)}/deliveries/${n}/replay`);
  await terminal.print(options.json ? `${jsonText(told)}\n` : `${receivedLine(told, server.base)}\n`);
  return 0;
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
