import { Alerts, type AlertsParts } from '../../src/outlet/alerts/alerts.ts';
import { parseQuery, parseTaskQuery } from '../../src/query/parse.ts';

/** Alerts that tell nobody of Slack, and judge nothing until they are started. */
export function alertsOf(
  parts: Pick<AlertsParts, 'store' | 'intake' | 'live'>,
  options: Partial<AlertsParts> = {},
): Alerts {
  return new Alerts({
    readQuery: (text, nowMs, on) => (on === 'task' ? parseTaskQuery : parseQuery)(text, nowMs),
    ...{ configured: {}, accounts: {}, publicUrl: undefined, log: { warn: () => {} } },
    ...parts,
    ...options,
  });
}
