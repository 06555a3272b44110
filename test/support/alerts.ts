import assert from 'node:assert/strict';
import { Alerts, type AlertsParts } from '../../src/outlet/alerts/alerts.ts';
import { allowedOf } from '../../src/outlet/outbound/allowed.ts';
import { parseQuery, parseTaskQuery } from '../../src/query/parse.ts';

/** Targets of tests listen on loopback. */
const LOOPBACK = allowedOf('127.0.0.1') ?? assert.fail();

/** Alerts that tell nobody of Slack, and judge nothing until they are started. */
export function alertsOf(
  parts: Pick<AlertsParts, 'store' | 'intake' | 'live'>,
  options: Partial<AlertsParts> = {},
): Alerts {
  return new Alerts({
    readQuery: (text, nowMs, on) => (on === 'task' ? parseTaskQuery : parseQuery)(text, nowMs),
    ...{
      configured: {},
      accounts: {},
      outbound: { allowed: [LOOPBACK] },
      publicUrl: undefined,
      log: { warn: () => {} },
    },
    ...parts,
    ...options,
  });
}
