import { Http } from '../../client/http.ts';
import { TrailError } from '../../core/error.ts';
import type { WireAlert, WireAlertList, WireAlertPreview, WireAlertTest } from '../../core/wire-alert.ts';
import type { Config } from '../settings.ts';
import { printJson, printTable } from '../table.ts';
import { serverOf } from '../target.ts';
import type { Terminal } from '../terminal.ts';

export interface AlertOptions {
  readonly json?: boolean;
}

export interface PreviewOptions extends AlertOptions {
  readonly on?: string;
  readonly threshold?: string;
  readonly window?: string;
  readonly coolDown?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Firings that a preview prints. */
const PRINTED = 20;

export async function list(terminal: Terminal, config: Config, { json }: AlertOptions): Promise<number> {
  const { alerts } = await ask<WireAlertList>(config, 'GET', 'api/alerts');
  if (json) return printJson(terminal, alerts);
  if (alerts.length === 0) terminal.tell('there is no alert yet');
  return printTable(terminal, ['ID', 'STATE', 'WHEN', 'QUERY', 'LAST FIRED', 'LAST FAULT'], alerts.map(cells));
}

export async function preview(
  terminal: Terminal,
  config: Config,
  query: string,
  options: PreviewOptions,
): Promise<number> {
  const { on, threshold, window, coolDown, from, to, json } = options;
  const rule = {
    query,
    ...(on !== undefined && { on }),
    ...(threshold !== undefined && { threshold: wholeNumber('--threshold', threshold) }),
    ...(window !== undefined && { window_seconds: wholeNumber('--window', window) }),
    ...(coolDown !== undefined && { cool_down_seconds: wholeNumber('--cool-down', coolDown) }),
  };
  const body = { rule, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const found = await ask<WireAlertPreview>(config, 'POST', 'api/alerts/preview', body);
  if (json) return printJson(terminal, [found]);
  const { fired, fired_total: total, matches, complete } = found;
  const since = `${shortTime(found.from)} – ${shortTime(found.to)}`;
  await terminal.print(`It would have fired ${times(total)}: ${matches} matches, ${since}\n`);
  for (const { at, count } of fired.slice(0, PRINTED)) await terminal.print(`${shortTime(at)}  ${count} matched\n`);
  if (total > PRINTED) terminal.tell(`${total - PRINTED} more; --json shows the first 100`);
  if (!complete) terminal.tell('the time was up: older lines were not looked at; --from asks for less');
  return 0;
}

/** Fails when a target did not take it. */
export async function test(terminal: Terminal, config: Config, id: string, { json }: AlertOptions): Promise<number> {
  const told = await ask<WireAlertTest>(config, 'POST', `api/alerts/${encodeURIComponent(id)}/test`, {});
  if (json) await printJson(terminal, told.delivered);
  else {
    if (told.delivered.length === 0) terminal.tell(`the alert ${id} tells nobody`);
    const rows = told.delivered.map(({ target, ok, reason }) => [target, ok ? 'sent' : 'failed', reason ?? '']);
    if (rows.length > 0) await printTable(terminal, ['TARGET', 'OUTCOME', 'WHY'], rows);
  }
  return told.delivered.every(({ ok }) => ok) ? 0 : 1;
}

async function ask<T>(config: Config, method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  const { address } = await serverOf(config, 'alerts');
  return new Http(address).call<T>(method, path, body && { body });
}

function cells(alert: WireAlert): readonly string[] {
  const { id, enabled, on, query, threshold, window_seconds: seconds, state } = alert;
  const { last_fired_at: fired, last_fault: fault, cool_down_until: until, count } = state;
  const word = !enabled
    ? 'disabled'
    : until !== null
      ? `cools down until ${shortTime(until)}`
      : `${count} of ${threshold}`;
  const what = on === 'task' ? 'tasks' : 'lines';
  return [
    id,
    word,
    `${threshold} ${what} in ${seconds} s`,
    query,
    fired ? shortTime(fired) : 'never',
    fault?.reason ?? '',
  ];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function shortTime(iso: string): string {
  return iso.replace(/\.\d{3}Z$/, 'Z');
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TrailError('invalid_usage', `${option}: expected a whole number, got ${text}`);
}
